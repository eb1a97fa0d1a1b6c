"""How a call is declared, read and described."""
