"""What answers tell of how fast one may call: RateLimit fields.

They are those of draft-ietf-httpapi-ratelimit-headers-10 (2025-09): structured fields (RFC 9651).
"""

from typing import Protocol

from mailsacd.core.rate_standing import RateStanding
from mailsacd.http.server.answer import Headers


class ThrottlesCalls(Protocol):
    """Says when a call may be answered (mail.limits.throttle)."""

    async def call(self, ip: str, account: str | None) -> RateStanding | None:
        """Return when it may be, with how the caller stands; None without a limit.

        Raises RateLimitError for one too many.
        """


def rate_headers(standing: RateStanding | None) -> Headers:
    """The header fields that tell a caller how it stands: none where it has no limit."""
    if standing is None:
        return ()
    name = standing.policy.encode("ascii")
    policy = b'"%b";q=%d;w=%d' % (name, standing.quota, standing.window_s)
    left = b'"%b";r=%d;t=%d' % (name, standing.remaining, standing.reset_s)
    return ((b"RateLimit-Policy", policy), (b"RateLimit", left))
