"""Sending mail: who may send as whom, how a message is made and queued, what became of it."""
