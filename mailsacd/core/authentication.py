"""What is known of who sent a message: the results of SPF, DKIM, ARC and DMARC, and their JSON.

The names of results are those of RFC 8601 section 2.7.
"""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

Result = Literal["none", "neutral", "policy", "pass", "softfail", "fail", "temperror", "permerror"]
Policy = Literal["none", "quarantine", "reject"]

_Reason = Annotated[str, Meta(description="Why, in English; empty where the result says all")]


class SpfResult(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the peer may send mail of ``domain`` (RFC 7208).

    ``identity`` tells where the domain stands: in MAIL FROM or, with an empty reverse-path, HELO.
    """

    result: Result
    domain: str
    identity: Literal["mailfrom", "helo"]
    reason: _Reason = ""


class DkimResult(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What one signature of ``domain`` is worth (RFC 6376, RFC 8301, RFC 8463).

    ``testing`` tells that the domain is only trying out signatures (``t=y``).
    """

    result: Result
    domain: str
    selector: str
    algorithm: str
    key_bits: int | None = None
    testing: bool = False
    reason: _Reason = ""


class ArcResult(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the chain of ``instances`` hosts that sealed the message is whole (RFC 8617)."""

    result: Result
    instances: int
    domain: Annotated[str, Meta(description="Who sealed it last")] = ""
    reason: _Reason = ""


class DmarcResult(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the author's domain, that of From, stands behind the message (RFC 7489).

    ``policy`` is what that domain asks for where it does not, of ``percent`` of such messages.
    ``aligned`` are the ways by which it does.
    """

    result: Result
    domain: str
    policy: Policy | None = None
    percent: int = 100
    aligned: tuple[Literal["spf", "dkim"], ...] = ()
    reason: _Reason = ""


class Authentication(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """All of it. ``dkim`` has a result for each signature that was looked at.

    ``ignored_signatures`` were too many to be looked at. ``forged_results`` is how many
    Authentication-Results fields the message brought that claim to be of this host.
    """

    spf: SpfResult
    dkim: tuple[DkimResult, ...]
    arc: ArcResult
    dmarc: DmarcResult
    ignored_signatures: int = 0
    forged_results: int = 0
    checked: Annotated[str, Meta(extra_json_schema={"format": "date-time"})]

    @property
    def is_temporary(self) -> bool:
        """Whether the DNS failed for something, so that looking again may tell more."""
        results = (self.spf.result, self.arc.result, self.dmarc.result)
        return "temperror" in {*results, *(each.result for each in self.dkim)}


_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Authentication).decode


def authentication_text(found: Authentication) -> str:
    """Return the JSON text that is stored: one object."""
    return _encode(found).decode()


def read_authentication(text: str) -> Authentication:
    """Return what was stored as ``text``."""
    return _decode(text)
