"""How likely messages are spam: who says so, and what is learned of it."""
