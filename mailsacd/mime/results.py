"""The field Authentication-Results (RFC 8601), as this host writes it and as it is read.

It is a trace field: ours stands before our Received (section 4).
"""

import re
from typing import Final

from mailsacd.core.authentication import Authentication

MAX_BYTES: Final = 6_144
"""No field of ours is longer."""

_COMMENT: Final = re.compile(r"\([^()]*\)")
_SERVER: Final = re.compile(r'\s*"?([^\s;"]+)')
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]")
_MAX_VALUE: Final = 253
_MAX_SIGNATURES: Final = 8


def results_field(found: Authentication, hostname: str) -> bytes:
    """Return the field for a host called ``hostname``, in CRLF lines."""
    spf, arc, dmarc = found.spf, found.arc, found.dmarc
    results = [f"spf={spf.result} smtp.{spf.identity}={_value(spf.domain)}"]
    for each in found.dkim[:_MAX_SIGNATURES]:
        names = f"header.d={_value(each.domain)} header.s={_value(each.selector)}"
        results.append(f"dkim={each.result} {names}")
    if not found.dkim:
        results.append("dkim=none")
    results.append(f"dmarc={dmarc.result} header.from={_value(dmarc.domain)}")
    shown = "fail" if arc.result == "temperror" else arc.result  # no other is registered for it
    results.append(f"arc={shown}" + (f" (i={arc.instances})" if arc.instances else ""))
    return ("Authentication-Results: " + ";\r\n\t".join([hostname, *results]) + "\r\n").encode()


def server_of(value: str) -> str:
    """Return whose results the field with ``value`` says that it has, in lower case."""
    server = _SERVER.match(_COMMENT.sub(" ", value))
    return server[1].lower() if server else ""


def _value(text: str) -> str:
    """A value that needs no quotes, of what others chose."""
    return _UNSAFE.sub("_", text[:_MAX_VALUE]) or '""'
