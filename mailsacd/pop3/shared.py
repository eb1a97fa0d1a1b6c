"""What the connections of one POP3 listener have in common."""

from dataclasses import dataclass

from mailsacd.pop3.rules import SessionRules
from mailsacd.pop3.services import Pop3Services
from mailsacd.sockets.listener_options import ListenerOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """Limits, texts and use cases."""

    services: Pop3Services
    rules: SessionRules
    options: ListenerOptions
