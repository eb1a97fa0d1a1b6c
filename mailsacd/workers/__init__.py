"""Several worker processes that serve the same ports, and the parent that looks after them."""
