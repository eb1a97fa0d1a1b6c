"""rspamd's answers, and what is asked of it."""

import json

import pytest

from mailsacd.core.spam import MAX_REASONS, ScoredMail
from mailsacd.outbound.scorers.rspamd import question, read_answer

HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\nServer: rspamd/3.4\r\n\r\n"
MAIL = ScoredMail(
    content=b"Subject: x\r\n\r\nhi\r\n", recipients=("a@b.example", "c@d.example"), ip="192.0.2.7",
    helo="client.example", sender="ann@example.net",
)  # fmt: skip


def answer(score: float, action: str, symbols: object = None, required: float = 15.0) -> bytes:
    return (
        HEAD
        + json.dumps(
            {"score": score, "required_score": required, "action": action, "symbols": symbols or {}}
        ).encode()
    )


def test_how_the_message_came_is_in_the_question() -> None:
    assert question(MAIL) == (
        b"POST /checkv2 HTTP/1.0\r\nContent-Length: 18\r\nIP: 192.0.2.7\r\nHelo: client.example\r\n"
        b"From: ann@example.net\r\nRcpt: a@b.example\r\nRcpt: c@d.example\r\n\r\n"
        b"Subject: x\r\n\r\nhi\r\n"
    )


def test_what_a_stranger_chose_ends_no_field() -> None:
    hostile = ScoredMail(content=b"", recipients=(), sender="a\r\nX: y@b\u00e9\x00 z")
    assert question(hostile).count(b"\r\n") == 4
    assert b"From: a??X:?y@b???z\r\n" in question(hostile)


@pytest.mark.parametrize(
    ("score", "action", "told"),
    [
        (0, "no action", 0.0), (-3, "no action", 0.0), (3, "no action", 0.2),
        (5, "greylist", 0.333), (9, "soft reject", 0.499), (6, "add header", 0.5),
        (9, "rewrite subject", 0.6), (15, "reject", 1.0), (0, "reject", 1.0), (40, "reject", 1.0),
    ],
)  # fmt: skip
def test_the_score_follows_what_rspamd_would_do(score: float, action: str, told: float) -> None:
    report = read_answer(answer(score, action), "now")
    assert (report.score, report.points, report.required) == (told, score, 15)


def test_the_symbols_that_weigh_most_are_the_reasons() -> None:
    symbols = {
        f"S{n}": {"name": f"S{n}", "score": n / 10, "description": "d\x00\n" * 99}
        for n in range(100)
    }
    report = read_answer(answer(1, "no action", symbols), "now")
    assert len(report.reasons) == MAX_REASONS
    first = report.reasons[0]
    assert (first.name, first.points, len(first.text)) == ("S99", 9.9, 200)
    assert "\x00" not in first.text


def test_it_may_say_that_all_is_spam() -> None:
    assert read_answer(answer(1, "no action", required=0), "now").score == 0


@pytest.mark.parametrize(
    "bad",
    [
        b"", b"HTTP", HEAD, HEAD + b"[]", HEAD + b"{}", HEAD + b'{"score":"x"}', b"SSH-2.0\r\n\r\n",
        b"HTTP/1.1 403 Forbidden\r\n\r\n{}", HEAD + answer(1, "reject")[len(HEAD) : -9],
    ],
)  # fmt: skip
def test_anything_else_is_no_answer(bad: bytes) -> None:
    with pytest.raises(ValueError, match="an answer"):
        read_answer(bad, "now")
