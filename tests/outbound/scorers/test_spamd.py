"""spamd's answers, and what is asked of it."""

import pytest

from mailsacd.core.spam import ScoredMail
from mailsacd.outbound.scorers.spamd import question, read_answer

TABLE = """Content preview:  buy now
   ---- ------
   9.9 FORGED                  in the message itself

Content analysis details:   (7.5 points, 5.0 required)

 pts rule name              description
---- ---------------------- --------------------------------------------------
-0.0 NO_RECEIVED            Informational: message has no Received headers
 6.5 BAYES_99               BODY: Bayes spam probability is 99 to 100%
                            [score: 1.0000]
1000 GTUBE                  BODY: Generic Test for Unsolicited Bulk Email
"""


def answer(points: str, required: str = "5.0", report: str = "") -> bytes:
    return (
        f"SPAMD/1.1 0 EX_OK\r\nContent-length: {len(report)}\r\n"
        f"Spam: True ; {points} / {required}\r\n\r\n{report}"
    ).encode()


def test_a_report_is_asked_for() -> None:
    trace, content = b"Received: from x\r\n", b"Subject: x\r\n\r\nhi\r\n"
    mail = ScoredMail(content=content, trace=trace, recipients=())
    assert question(mail) == (
        b"REPORT SPAMC/1.5\r\nContent-length: 36\r\n\r\n"
        b"Received: from x\r\nSubject: x\r\n\r\nhi\r\n"
    )


@pytest.mark.parametrize(
    ("points", "required", "told"),
    [
        ("-2.1", "5.0", 0.0), ("-0.0", "5.0", 0.0), ("0", "5", 0.0), ("2.5", "5.0", 0.25),
        ("5.0", "5.0", 0.5), ("7.5", "5.0", 0.75), ("1000.0", "5.0", 1.0), ("1", "0", 1.0),
    ],
)  # fmt: skip
def test_the_score_is_a_half_where_spam_begins(points: str, required: str, told: float) -> None:
    report = read_answer(answer(points, required), "now")
    assert (report.score, report.points, report.required) == (told, float(points), float(required))


def test_rules_are_those_of_the_table_at_the_end_and_none_of_the_message() -> None:
    reasons = read_answer(answer("7.5", report=TABLE), "now").reasons
    assert [(each.name, each.points) for each in reasons] == [
        ("GTUBE", 1000), ("BAYES_99", 6.5), ("NO_RECEIVED", 0),
    ]  # fmt: skip
    assert reasons[1].text == "BODY: Bayes spam probability is 99 to 100%"


def test_a_report_without_a_table_has_no_reasons() -> None:
    assert read_answer(answer("7.5", report="what the operator likes\n"), "now").reasons == ()


@pytest.mark.parametrize(
    "bad",
    [
        b"", b"SPAMD/1.1", b"HTTP/1.1 200 OK\r\n\r\n", b"SPAMD/1.1 0 EX_OK\r\n\r\n",
        b"SPAMD/1.0 76 Bad header line: x\r\n\r\n", b"SPAMD/1.1 0 EX_OK\r\nSpam: yes\r\n\r\n",
    ],
)  # fmt: skip
def test_anything_else_is_no_answer(bad: bytes) -> None:
    with pytest.raises(ValueError, match="answer"):
        read_answer(bad, "now")
