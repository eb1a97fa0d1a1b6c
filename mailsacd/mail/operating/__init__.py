"""What an operator sees and changes by a session: accounts, domains, the denylist, the queue."""
