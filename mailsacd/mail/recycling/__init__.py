"""Removes what is beyond the limits of storage."""
