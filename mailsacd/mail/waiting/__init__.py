"""Waiting for mail that is like somebody says, without asking again and again."""
