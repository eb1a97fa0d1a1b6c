"""What the edges that speak line by line have in common: connections, limits, deadlines, TLS."""
