"""Runs: address spaces of their own, with all their mail deleted at the end."""
