"""Who owns which address and which domain."""
