"""What the connections of one SMTP listener have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailsacd.smtp.rules import SessionRules
    from mailsacd.smtp.services import SmtpServices
    from mailsacd.sockets.listener_options import ListenerOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """Limits, texts and use cases."""

    services: SmtpServices
    rules: SessionRules
    options: ListenerOptions
