"""Reads a fault out of a name: the local part of an address, or the first label of a host name.

Pure, and the same each time. The table of forms is in docs/faults.md; what has none of these forms
is a name like any other.
"""

import re
from typing import Final, get_args

from mailsacd.core.fault import MAX_SECONDS, PHASES_OF, Deed, Phase, SmtpFault

_REFUSAL: Final = re.compile(
    r"(connect|helo|starttls|auth|mail|rcpt|data|end)-([45]\d\d)(?:-(\d\.\d{1,3}\.\d{1,3}))?\Z",
    re.ASCII,
)
_COUNTED: Final = re.compile(r"(greylist|limit)-(\d{1,4})\Z", re.ASCII)
_TIMED: Final = re.compile(r"(delay|drip)-(\d{1,6})(ms|s)(?:-([a-z]{2,8}))?\Z", re.ASCII)
_DROP: Final = re.compile(r"drop-([a-z]{2,8})\Z", re.ASCII)

_PHASES: Final = frozenset(get_args(Phase))
_BEGINS: Final = (
    *(f"{phase}-" for phase in get_args(Phase)),
    *(f"{deed}-" for deed in get_args(Deed)),
    "tls-",
)


def parse_fault(name: str) -> SmtpFault | None:
    """Return the fault that ``name``, in lower case, stands for; None when it stands for none."""
    if not name.startswith(_BEGINS):
        return None
    if found := _REFUSAL.match(name):
        return _refusal(found)
    if found := _COUNTED.match(name):
        return _counted(found)
    if found := _TIMED.match(name):
        return _timed(found)
    if (found := _DROP.match(name)) and found[1] in _PHASES:
        phase: Phase = found[1]  # type: ignore[assignment]  # it is one of them
        return SmtpFault(do="drop", at=phase)
    return SmtpFault(do="garble", at="starttls") if name == "tls-fail" else None


def _refusal(found: re.Match[str]) -> SmtpFault | None:
    code, status = int(found[2]), found[3] or ""
    if status and status[0] != found[2][0]:
        return None
    phase: Phase = found[1]  # type: ignore[assignment]  # the expression names them alone
    return SmtpFault(do="refuse", at=phase, code=code, status=status or f"{found[2][0]}.0.0")


def _counted(found: re.Match[str]) -> SmtpFault | None:
    times = int(found[2])
    deed: Deed = "greylist" if found[1] == "greylist" else "limit"
    return SmtpFault(do=deed, times=times) if times else None


def _timed(found: re.Match[str]) -> SmtpFault | None:
    deed: Deed = "delay" if found[1] == "delay" else "drip"
    seconds = int(found[2]) / (1000 if found[3] == "ms" else 1)
    at = found[4] or "rcpt"
    if not 0 < seconds <= MAX_SECONDS or at not in PHASES_OF[deed]:
        return None
    phase: Phase = at
    return SmtpFault(do=deed, at=phase, seconds=seconds)
