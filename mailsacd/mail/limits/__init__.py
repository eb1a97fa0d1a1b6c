"""How much an account may do."""
