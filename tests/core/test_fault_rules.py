"""What rules of faults may say, and what fits them."""

import time
from typing import Any

import msgspec
import pytest

from mailsacd.core.fault import FaultRule, is_drawn
from mailsacd.core.fault_condition import ExaminedMessage, HeaderCondition, When, fits


@pytest.mark.parametrize(
    ("rule", "wrong"),
    [
        ({"fault": {"do": "refuse"}}, "refuse needs a code"),
        ({"fault": {"do": "refuse", "code": 250}}, ">= 400"),
        ({"fault": {"do": "refuse", "code": 550, "status": "4.1.1"}}, "another class"),
        ({"fault": {"do": "refuse", "code": 550, "text": "a\r\nb"}}, "regex"),
        ({"fault": {"do": "refuse", "code": 550, "text": "a\n"}}, "regex"),
        ({"fault": {"do": "refuse", "code": 550, "status": "5.1.1\n"}}, "regex"),
        ({"fault": {"do": "refuse", "code": 550, "at": "mail"}}, "before a recipient"),
        ({"fault": {"do": "delay"}}, "needs seconds"),
        ({"fault": {"do": "delay", "seconds": 601}}, "<= 600"),
        ({"fault": {"do": "drip", "seconds": 1, "at": "data"}}, "drip cannot be done at data"),
        ({"fault": {"do": "greylist", "at": "end"}}, "greylist cannot be done at end"),
        ({"fault": {"do": "drop"}, "when": {"minBytes": 5}}, "known at the end"),
        ({"fault": {"do": "drop"}, "when": {"header": {"name": "Subject"}}}, "known at the end"),
        ({"fault": {"do": "drop"}, "when": {"header": {"name": "a b"}}}, "regex"),
        ({"fault": {"do": "drop"}, "when": {"header": {"name": "a\n"}}}, "regex"),
        ({"fault": {"do": "drop"}, "when": {"colour": "red"}}, "unknown field"),
        ({"fault": {"do": "bounce", "at": "end"}}, "bounce cannot be done at end"),
        ({"fault": {"do": "complain", "feedback": "noise"}}, "Invalid enum"),
        ({"fault": {"do": "explode"}}, "Invalid enum"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(rule: dict[str, Any], wrong: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=wrong):
        msgspec.convert(rule, FaultRule)


@pytest.mark.parametrize(
    "fault",
    [
        {"do": "refuse", "code": 550}, {"do": "greylist", "times": 3}, {"do": "limit"},
        {"do": "delay", "seconds": 1}, {"do": "drip", "seconds": 1}, {"do": "drop", "at": "data"},
        {"do": "bounce", "status": "4.2.2"}, {"do": "complain"}, {"do": "reply", "text": "x"},
    ],
)  # fmt: skip
def test_what_is_written_down_is_read_again(fault: dict[str, Any]) -> None:
    rule = msgspec.convert({"fault": fault}, FaultRule)
    assert msgspec.json.decode(msgspec.json.encode(rule), type=FaultRule) == rule


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("*", "", True), ("", "", True), ("", "a", False), ("a", "A", True), ("a*", "abc", True),
        ("*c", "abc", True), ("a*c", "abc", True), ("a*b*c", "aXbYc", True), ("*b*", "abc", True),
        ("a*a", "a", False), ("ab*ba", "aba", False), ("*@d.example", "x@d.example", True),
        ("*@d.example", "x@d.example.org", False), ("a**c", "abc", True), ("a*x*c", "abc", False),
    ],
)  # fmt: skip
def test_patterns(pattern: str, text: str, expected: bool) -> None:
    assert fits(pattern, text) is expected


def test_a_pattern_takes_no_time() -> None:
    began = time.process_time()
    fits("a*" * 160, "a" * 65_000 + "b")
    assert time.process_time() - began < 0.1


def test_conditions_on_the_message() -> None:
    content = b"Subject: Order\r\n  number 5\r\nX-A: 1\r\nx-a: 2\r\n\r\nSubject: body\r\n"
    message = ExaminedMessage(content)

    def holds(name: str, value: str) -> bool:
        return message.fits(When(header=HeaderCondition(name=name, value=value)))

    assert holds("subject", "order*number 5")
    assert not holds("Subject", "body")
    assert holds("X-A", "2")
    assert not holds("X-B", "*")
    assert message.fits(When(minBytes=len(content)))
    assert not message.fits(When(minBytes=len(content) + 1))


def test_a_long_header_is_read_once_for_all_rules_and_recipients() -> None:
    message = ExaminedMessage(b"X-A: b\r\n" * 8_000 + b"\r\n")
    rules = [When(header=HeaderCondition(name="X-A", value=f"*{n}")) for n in range(20)]
    began = time.process_time()
    for _ in range(100):
        assert not any(message.fits(rule) for rule in rules)
    assert time.process_time() - began < 0.5


def test_draws_are_the_same_each_time_and_as_many_as_is_said() -> None:
    drawn = [number for number in range(1, 1001) if is_drawn("seed", number, 0.3)]
    assert drawn == [number for number in range(1, 1001) if is_drawn("seed", number, 0.3)]
    assert drawn[:6] != [number for number in range(1, 1001) if is_drawn("other", number, 0.3)][:6]
    assert 250 < len(drawn) < 350
    assert not any(is_drawn("seed", number, 0.0) for number in range(100))
    assert all(is_drawn("seed", number, 1.0) for number in range(100))
