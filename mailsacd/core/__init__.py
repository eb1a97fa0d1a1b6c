"""Values and rules: no I/O, no Twisted, no SQL."""
