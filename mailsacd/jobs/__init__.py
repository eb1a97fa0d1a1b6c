"""Work that nobody waits for: what is due is done in the background."""
