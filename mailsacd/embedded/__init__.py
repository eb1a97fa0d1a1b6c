"""The private PostgreSQL of a machine that has no other."""
