"""POP3: private inboxes for mail programs (RFC 1939)."""
