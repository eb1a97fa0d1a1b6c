"""Bringing the database of an older version up to this one, where SQL alone cannot."""
