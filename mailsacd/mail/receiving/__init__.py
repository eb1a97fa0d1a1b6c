"""Taking mail in: who is a recipient, and how a message becomes durable."""
