"""Talks to other hosts."""
