"""Mail pushed by WebSocket (RFC 6455): `/incoming-messages`, on the port of the REST API."""
