"""Sends mail to other hosts: the way there, the connection, and the conversation on it."""
