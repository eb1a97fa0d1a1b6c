"""The REST API of MailHog, versions 1 and 2, with its event stream and WebSocket."""
