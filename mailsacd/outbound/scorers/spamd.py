"""SpamAssassin's protocol: a message to spamd, and its points with the rules that matched.

https://svn.apache.org/repos/asf/spamassassin/trunk/spamd/PROTOCOL
"""

import re
from collections.abc import Iterator
from typing import Final

from mailsacd.core.spam import (
    ScoredMail,
    SpamReason,
    SpamReport,
    by_weight,
    likelihood,
    shown,
)

PORT: Final = 783

_HEAD: Final = re.compile(rb"SPAMD/[0-9.]+ ([0-9]+) ([^\r\n]*)\r\n((?:[^\r\n]+\r\n)*)\r\n")
_SPAM: Final = re.compile(
    rb"^spam: *(?:true|false|yes|no) *; *(-?[0-9.]+) */ *(-?[0-9.]+)", re.IGNORECASE | re.MULTILINE
)
_DIVIDER: Final = "---- ------"
_RULE: Final = re.compile(r" *(-?[0-9]+(?:\.[0-9]+)?) +([A-Za-z_][A-Za-z0-9_]*) *(.*)")


def question(mail: ScoredMail) -> bytes:
    """Return the request for a report on ``mail``.

    SpamAssassin reads in our trace headers where the message came from.
    """
    message = mail.trace + mail.content
    return f"REPORT SPAMC/1.5\r\nContent-length: {len(message)}\r\n\r\n".encode("ascii") + message


def read_answer(answer: bytes, checked: str) -> SpamReport:
    """Return what ``answer`` says. Raises ValueError for what is no good answer.

    The score is 0.5 at the points from which on SpamAssassin calls a message spam, and 1 at twice
    as many. The rules are read out of the table at the end of its report, if that has one.
    """
    head = _HEAD.match(answer)
    if head is None:
        raise ValueError("an answer that is not spamd's")
    if head[1] != b"0":
        raise ValueError(f"the answer {shown(head[2].decode('latin-1'))}")
    found = _SPAM.search(head[3])
    if found is None:
        raise ValueError("an answer without points")
    points, required = float(found[1]), float(found[2])
    report = answer[head.end() :].decode("utf-8", "replace")
    return SpamReport(
        score=likelihood(points / (2 * required) if required > 0 else float(points > 0)),
        scorer="spamd",
        points=points,
        required=required,
        reasons=by_weight(_rules(report)),
        checked=checked,
    )


def _rules(report: str) -> Iterator[SpamReason]:
    """The rules of the last table: before it stands a part of the message, which may look so."""
    _, divider, table = report.rpartition(_DIVIDER)
    if not divider:
        return
    for line in table.splitlines()[1:]:
        rule = _RULE.match(line)
        if rule is not None:
            yield SpamReason(name=rule[2], points=float(rule[1]), text=shown(rule[3]))
