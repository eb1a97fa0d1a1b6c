"""What the connections of one SMTP listener have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

    from mailsacd.smtp.crowd import Crowd
    from mailsacd.smtp.outbox import Outbox
    from mailsacd.smtp.rules import SessionRules
    from mailsacd.smtp.services import SmtpServices


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """``proxies`` are the networks whose connections begin with a PROXY header."""

    services: SmtpServices
    rules: SessionRules
    crowd: Crowd
    outbox: Outbox
    proxies: tuple[IPv4Network | IPv6Network, ...]
