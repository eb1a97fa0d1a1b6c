"""What a message has to be like, and which of it is not so."""

import pytest

from mailsacd.core.condition import Condition, folded
from mailsacd.core.message_form import Outline, outline
from mailsacd.core.pattern import Pattern, parse_pattern

RECEIVED_MS = 1_700_000_000_000
MESSAGE: Outline = outline(
    '{"_id":"01hf7yat00000abcdefgh-0","inbox":"jeff@example.com","originalInbox":"jeff+Shop@example.com",'
    '"domain":"example.com","to":[{"address":"list@example.org","name":"Grüße"}],'
    '"from":[{"address":"no-reply@shop.example","name":"The Shop"}],'
    '"cc":[{"address":"boss@example.com","name":""}],'
    '"bcc":[{"address":"hidden@example.com","name":""}],"subject":"Your ORDER 17, οδοσ",'
    '"received":"2023-11-14T22:13:20.000Z","attachments":["0cc175b9c0f1b6a831c399e269772661"]}'
)

CASES: dict[str, tuple[Condition, tuple[str, ...]]] = {
    "nothing is asked": (Condition(), ()),
    "a part of the subject, in any case": (Condition(subject_includes="order"), ()),
    "another subject": (Condition(subject_includes="invoice"), ("subjectIncludes",)),
    "a part of the sender's address": (Condition(sender="@SHOP."), ()),
    "the sender's name": (Condition(sender="the shop"), ()),
    "another sender": (Condition(sender="jeff"), ("from",)),
    "a name in To": (Condition(recipient="GRÜẞE"), ()),
    "an address in Cc": (Condition(recipient="boss@"), ()),
    "the address as it was mailed": (Condition(recipient="jeff+shop@example.com"), ()),
    "the inbox": (Condition(recipient="jeff@example.com"), ()),
    "a final sigma": (Condition(subject_includes="ΟΔΟΣ"), ()),
    "two texts at once": (Condition(sender="shop no-reply"), ("from",)),
    "Bcc": (Condition(recipient="hidden@"), ("to",)),
    "nobody in To": (Condition(recipient="ann@"), ("to",)),
    "with attachments": (Condition(has_attachment=True), ()),
    "without attachments": (Condition(has_attachment=False), ("hasAttachment",)),
    "that very millisecond": (Condition(since_ms=RECEIVED_MS), ()),
    "no part of two texts beside each other": (Condition(sender="Shopno-reply"), ("from",)),
    "later": (Condition(since_ms=RECEIVED_MS + 1), ("since",)),
    "before 1970": (Condition(since_ms=-1), ()),
    "all of it": (
        Condition(
            subject_includes="z", sender="z", recipient="z", has_attachment=False, since_ms=2**45
        ),
        ("since", "subjectIncludes", "from", "to", "hasAttachment"),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_fails_is_named(case: str) -> None:
    condition, failed = CASES[case]
    assert condition.failed_by(folded(MESSAGE)) == failed


def test_a_pattern_is_found_anywhere() -> None:
    text = "Ihr Code lautet:\n123456, grüße".encode()
    for pattern in (r"\d{6}", "(?i)GRÜSSE|grüße", r"Code.*:\n[0-9]", "(?m)^123"):
        assert parse_pattern(pattern).is_found_in(text), pattern
    for pattern in (r"\d{7}", "^123", "GRÜ"):
        assert not parse_pattern(pattern).is_found_in(text), pattern
    assert parse_pattern("(a+)+$") == Pattern("(a+)+$")


NO_PATTERNS = {
    "nothing": ("", "does not have 1 to 500 characters"),
    "too long": ("a" * 501, "does not have 1 to 500 characters"),
    "not closed": ("(a", "is no regular expression of RE2: missing ): (a"),
    "look-ahead": ("(?=a)", "is no regular expression of RE2: invalid perl operator: (?="),
    "a back-reference": (r"(a)\1", r"is no regular expression of RE2: invalid escape sequence: \1"),
    "too many steps": (r"[^\pL]{10}", "is too large a regular expression"),
    "far too many": (r"((a{100}){100}){10}", "invalid repetition size"),
    "a lone surrogate": ("\ud800", "is not Unicode"),
}


@pytest.mark.parametrize("case", NO_PATTERNS)
def test_what_is_wrong_with_a_pattern_is_said(case: str) -> None:
    text, problem = NO_PATTERNS[case]
    with pytest.raises(ValueError, match=problem.replace("\\", r"\\").replace("(", r"\(").replace(
        "?", r"\?").replace(")", r"\)")):  # fmt: skip
        parse_pattern(text)


def test_no_pattern_takes_more_than_linear_time() -> None:
    """Python's own would not come to an end with this one."""
    assert not parse_pattern("(a+)+b").is_found_in(b"a" * 100_000)
