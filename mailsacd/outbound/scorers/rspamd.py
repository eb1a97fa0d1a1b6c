"""rspamd's protocol: a message by HTTP to ``/checkv2``, and JSON back.

https://docs.rspamd.com/developers/protocol. The question is of HTTP/1.0, so that the answer comes
in one piece and ends with the connection.
"""

import re
from collections.abc import Iterator
from typing import Annotated, Final

import msgspec

from mailsacd.core.spam import (
    ScoredMail,
    SpamReason,
    SpamReport,
    by_weight,
    likelihood,
    shown,
)

PORT: Final = 11333

_HEAD: Final = re.compile(rb"HTTP/1\.[01] ([0-9]{3})[^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n")
_NOT_IN_A_FIELD: Final = re.compile(r"[^!-~]")
_SPAM_ACTIONS: Final = frozenset({"add header", "rewrite subject", "reject"})
_BELOW: Final = 0.499


class _Symbol(msgspec.Struct):
    name: str
    score: float = 0.0
    description: str = ""


class _Answer(msgspec.Struct):
    score: float
    action: str
    required_score: float
    symbols: Annotated[dict[str, _Symbol], msgspec.Meta(max_length=10_000)] = {}


_decode: Final = msgspec.json.Decoder(_Answer).decode


def question(mail: ScoredMail) -> bytes:
    """Return the request that has ``mail`` checked."""
    head = "".join(f"{name}: {value}\r\n" for name, value in _fields(mail))
    return f"POST /checkv2 HTTP/1.0\r\n{head}\r\n".encode("ascii") + mail.content


def _fields(mail: ScoredMail) -> Iterator[tuple[str, str]]:
    yield "Content-Length", str(len(mail.content))
    known: tuple[tuple[str, str], ...] = (
        ("IP", mail.ip),
        ("Helo", mail.helo),
        ("From", mail.sender),
        *(("Rcpt", recipient) for recipient in mail.recipients),
    )
    for name, value in known:
        if value:
            yield name, _NOT_IN_A_FIELD.sub("?", value)


def read_answer(answer: bytes, checked: str) -> SpamReport:
    """Return what ``answer`` says. Raises ValueError for what is no good answer.

    rspamd tells up to which score it accepts a message; that is 1. Whatever the score, it is at
    least 0.5 where rspamd would have the message marked or refused, and less where it would not.
    """
    head = _HEAD.match(answer)
    if head is None:
        raise ValueError("an answer that is not HTTP")
    if head[1] != b"200":
        raise ValueError(f"an answer with status {head[1].decode()}")
    try:
        found = _decode(answer[head.end() :])
    except msgspec.MsgspecError as e:
        raise ValueError("an answer without what it found") from e
    share = found.score / found.required_score if found.required_score > 0 else 0.0
    is_spam = found.action in _SPAM_ACTIONS
    score = max(share, 0.5) if is_spam else min(share, _BELOW)
    return SpamReport(
        score=1.0 if found.action == "reject" else likelihood(score),
        scorer="rspamd",
        points=round(found.score, 3),
        required=round(found.required_score, 3),
        reasons=by_weight(_reason(symbol) for symbol in found.symbols.values()),
        checked=checked,
    )


def _reason(symbol: _Symbol) -> SpamReason:
    return SpamReason(
        name=shown(symbol.name), points=round(symbol.score, 3), text=shown(symbol.description)
    )
