"""What checks have in common: scores, reasons, and the subject, without our own trace."""

from mailsacd.mail.checks.catalogue import checks_of_message
from mailsacd.mail.checks.check import (
    MAX_REASONS,
    MAX_WHERE_CHARS,
    Reason,
    Subject,
    gathered,
    not_applicable,
    scored,
)
from tests.mail.checks.subjects import subject

TRACE = (
    b"Return-Path: <a@example.com>\r\n"
    b"Received: from a ([192.0.2.1])\r\n\tby b with ESMTP\r\n\tid c;\r\n"
    b"\tSun, 29 Nov 2026 18:05:12 +0000\r\n"
)


def test_points_are_taken_off_and_the_worst_reason_comes_first() -> None:
    reasons = [Reason(points=5, text="a"), Reason(points=30, text="b"), Reason(points=0, text="c")]
    result = scored("x", reasons, {"figure": 1})
    assert (result.score, [reason.text for reason in result.reasons]) == (65, ["b", "a", "c"])
    assert scored("x", reasons * 100, {}).score == 0
    assert len(scored("x", reasons * 100, {}).reasons) == MAX_REASONS
    assert scored("x", (), {}).score == 100
    assert not_applicable("x", "There is no HTML").score is None


def test_the_same_fault_at_many_places_is_one_reason() -> None:
    (reason,) = gathered(10, "It has no text", ["<img>" * 100, "b", "c"])
    assert reason.where is not None
    assert (reason.points, reason.more, len(reason.where)) == (10, 2, MAX_WHERE_CHARS)
    assert gathered(10, "It has no text", []) == ()


def test_the_trace_of_this_server_is_no_part_of_what_is_checked() -> None:
    content = subject().content
    assert Subject(TRACE + content).content == content
    assert not any(name == b"Received" for name, _ in Subject(TRACE + content).parsed.fields)


def test_the_tree_is_made_once_and_of_html_alone() -> None:
    with_html = subject(html="<p>Hello")
    assert with_html.tree is with_html.tree is not None
    assert subject().tree is None


def test_every_check_says_its_own_name_and_takes_any_message() -> None:
    for name, check in checks_of_message().items():
        for each in (subject(), subject(None, "<p>Hello"), Subject(b""), Subject(b"\0\xff<\r\n")):
            result = check(each)
            assert result.name == name
            assert result.score is None or 0 <= result.score <= 100
