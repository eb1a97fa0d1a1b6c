"""The REST and WebSocket API of Mailpit, version 1."""
