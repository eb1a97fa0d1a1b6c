"""Reads a fault out of a name: the local part of an address, or the first label of a host name.

Pure, and the same each time. The table of forms is in docs/faults.md; what has none of these forms
is a name like any other.
"""

import re
from collections.abc import Callable
from typing import Final, get_args

from mailsacd.core.fault import MAX_SECONDS, PHASES_OF, Deed, Feedback, Phase, SmtpFault

_REFUSAL: Final = re.compile(
    r"(connect|helo|starttls|auth|mail|rcpt|data|end)-([45]\d\d)(?:-(\d\.\d{1,3}\.\d{1,3}))?\Z",
    re.ASCII,
)
_COUNTED: Final = re.compile(r"(greylist|limit)-(\d{1,4})\Z", re.ASCII)
_TIMED: Final = re.compile(r"(delay|drip)-(\d{1,6})(ms|s)(?:-([a-z]{2,8}))?\Z", re.ASCII)
_ANSWER: Final = re.compile(
    r"(bounce|complaint|autoreply)(?:-([45]\.\d{1,3}\.\d{1,3}|[a-z-]{3,8}))?\Z", re.ASCII
)
_DROP: Final = re.compile(r"drop-([a-z]{2,8})\Z", re.ASCII)

_FEEDBACK: Final = frozenset(get_args(Feedback))
_BEGINS: Final = (
    *(f"{phase}-" for phase in get_args(Phase)),
    *(f"{deed}-" for deed in get_args(Deed)),
    *("tls-", "bounce", "complaint", "autoreply"),
)


def parse_fault(name: str) -> SmtpFault | None:
    """Return the fault that ``name``, in lower case, stands for; None when it stands for none."""
    if not name.startswith(_BEGINS):
        return None
    for form, read in _FORMS:
        if found := form.match(name):
            return read(found)
    return None


def _answer(found: re.Match[str]) -> SmtpFault | None:
    what, about = found[1], found[2] or ""
    if what == "bounce" and (not about or about[0].isdigit()):
        return SmtpFault(do="bounce", at="accepted", status=about)
    if what == "complaint" and (not about or about in _FEEDBACK):
        feedback: Feedback = about or "abuse"  # type: ignore[assignment]  # it is one of them
        return SmtpFault(do="complain", at="accepted", feedback=feedback)
    is_reply = what == "autoreply" and not about
    return SmtpFault(do="reply", at="accepted") if is_reply else None


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


def _drop(found: re.Match[str]) -> SmtpFault | None:
    if found[1] not in PHASES_OF["drop"]:
        return None
    phase: Phase = found[1]
    return SmtpFault(do="drop", at=phase)


def _garble(_found: re.Match[str]) -> SmtpFault:
    return SmtpFault(do="garble", at="starttls")


_FORMS: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], SmtpFault | None]], ...]] = (
    (_REFUSAL, _refusal),
    (_COUNTED, _counted),
    (_TIMED, _timed),
    (_ANSWER, _answer),
    (_DROP, _drop),
    (re.compile(r"tls-fail\Z"), _garble),
)
