"""What a domain says about TLS towards its mail hosts (RFC 8461): its record and its policy."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

MAX_POLICY_BYTES: Final = 65_536  # RFC 8461 section 3.3
MAX_PATTERNS: Final = 1_000
MAX_AGE_S: Final = 31_557_600  # a year: RFC 8461 section 3.2

_RECORD: Final = re.compile(r"v=STSv1[ \t]*;")
_ID: Final = re.compile(r"(?:\A|;)[ \t]*id[ \t]*=[ \t]*([A-Za-z0-9]{1,32})[ \t]*(?:;|\Z)")
_FIELD: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9_.-]{0,31})[ \t]*:[ \t]*(.*?)[ \t]*\Z")
_PATTERN: Final = re.compile(r"(?:\*\.)?[a-z0-9_](?:[a-z0-9_.-]{0,252}[a-z0-9_])?\Z")
_DIGITS: Final = re.compile(r"[0-9]{1,10}\Z")


class Mode(Enum):
    """What is to be done where TLS or the certificate fails."""

    ENFORCE = "enforce"
    TESTING = "testing"
    NONE = "none"


class BadPolicyError(Exception):
    """What was read is no policy; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StsPolicy:
    """``patterns`` are host names, with ``*.`` for one label; ``max_age_s`` is for how long it
    holds after it was read."""

    mode: Mode
    patterns: tuple[str, ...]
    max_age_s: int

    def names(self, host: str) -> bool:
        """Whether ``host`` (normal) is one of those that take mail (RFC 8461 section 4.1)."""
        above = host.partition(".")[2]
        return any(
            pattern == host or (pattern.startswith("*.") and pattern[2:] == above)
            for pattern in self.patterns
        )


def record_id(texts: Sequence[str]) -> str | None:
    """The id in the TXT records at ``_mta-sts``; None: the domain has no policy (section 3.1)."""
    records = [text for text in texts if _RECORD.match(text)]
    found = _ID.search(records[0].partition(";")[2]) if len(records) == 1 else None
    return found[1] if found else None


def parse_policy(text: str) -> StsPolicy:
    """Read a policy (section 3.2). Unknown fields are ignored, of known ones but ``mx`` the first
    counts. Raises BadPolicyError."""
    fields: dict[str, list[str]] = {}
    for line in text.replace("\r\n", "\n").split("\n"):
        if not line.strip():
            continue
        found = _FIELD.match(line)
        if found is None:
            raise BadPolicyError("a line is no field")
        fields.setdefault(found[1].lower(), []).append(found[2])
    if fields.get("version", [""])[0] != "STSv1":
        raise BadPolicyError("it is not of version STSv1")
    modes = {mode.value: mode for mode in Mode}
    mode = modes.get(fields.get("mode", [""])[0])
    age = fields.get("max_age", [""])[0]
    if mode is None or not _DIGITS.match(age):
        raise BadPolicyError("its mode or max_age is missing or unknown")
    patterns = tuple(pattern.lower().rstrip(".") for pattern in fields.get("mx", []))
    if len(patterns) > MAX_PATTERNS or not all(map(_PATTERN.match, patterns)):
        raise BadPolicyError("an mx is no host name")
    if not patterns and mode is not Mode.NONE:
        raise BadPolicyError("it names no mx")
    return StsPolicy(mode=mode, patterns=patterns, max_age_s=min(int(age), MAX_AGE_S))
