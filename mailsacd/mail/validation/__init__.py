"""Checking mail addresses of anybody."""
