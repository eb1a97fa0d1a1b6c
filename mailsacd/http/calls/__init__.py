"""The calls, one module a group."""
