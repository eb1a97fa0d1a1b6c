"""Mail as it comes: from the commit to whoever listens."""
