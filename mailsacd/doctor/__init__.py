"""Looks at a server and what it stands on: what is wrong, and what to do about it."""
