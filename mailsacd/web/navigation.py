"""Where the menu of an account leads: paths and their labels, in order."""

from typing import Final

ACCOUNT_LINKS: Final = (
    ("/dashboard", "Dashboard"),
    ("/domains", "Domains"),
    ("/keys", "API keys"),
    ("/outgoing", "Outgoing mail"),
    ("/usage", "Usage"),
    ("/activity", "Activity"),
    ("/account", "Account and security"),
    ("/audit", "Audit log"),
    ("/operator", "Operator"),
)
