"""Which names stand for which faults, and which are names like any other."""

import pytest

from mailsacd.core.fault import SmtpFault
from mailsacd.core.fault_grammar import parse_fault

FAULTS = {
    "rcpt-550-5.1.1": SmtpFault(do="refuse", at="rcpt", code=550, status="5.1.1"),
    "rcpt-550": SmtpFault(do="refuse", at="rcpt", code=550, status="5.0.0"),
    "rcpt-421": SmtpFault(do="refuse", at="rcpt", code=421, status="4.0.0"),
    "mail-451-4.7.1": SmtpFault(do="refuse", at="mail", code=451, status="4.7.1"),
    "data-451": SmtpFault(do="refuse", at="data", code=451, status="4.0.0"),
    "end-554-5.6.0": SmtpFault(do="refuse", at="end", code=554, status="5.6.0"),
    "helo-550": SmtpFault(do="refuse", at="helo", code=550, status="5.0.0"),
    "auth-535-5.7.8": SmtpFault(do="refuse", at="auth", code=535, status="5.7.8"),
    "starttls-454": SmtpFault(do="refuse", at="starttls", code=454, status="4.0.0"),
    "connect-421-4.3.2": SmtpFault(do="refuse", at="connect", code=421, status="4.3.2"),
    "greylist-2": SmtpFault(do="greylist", at="rcpt", times=2, code=450, status="4.7.1"),
    "limit-5": SmtpFault(do="limit", at="rcpt", times=5, code=421, status="4.7.0"),
    "delay-10s": SmtpFault(do="delay", at="rcpt", seconds=10),
    "delay-500ms-data": SmtpFault(do="delay", at="data", seconds=0.5),
    "delay-600s-end": SmtpFault(do="delay", at="end", seconds=600),
    "drip-3s": SmtpFault(do="drip", at="rcpt", seconds=3),
    "drip-3s-end": SmtpFault(do="drip", at="end", seconds=3),
    "drop-data": SmtpFault(do="drop", at="data"),
    "drop-connect": SmtpFault(do="drop", at="connect"),
    "bounce": SmtpFault(do="bounce", at="accepted"),
    "bounce-5.1.1": SmtpFault(do="bounce", at="accepted", status="5.1.1"),
    "bounce-4.2.2": SmtpFault(do="bounce", at="accepted", status="4.2.2"),
    "complaint": SmtpFault(do="complain", at="accepted"),
    "complaint-not-spam": SmtpFault(do="complain", at="accepted", feedback="not-spam"),
    "autoreply": SmtpFault(do="reply", at="accepted"),
    "tls-fail": SmtpFault(do="garble", at="starttls"),
}
NAMES = (
    *("", "jeff", "rcpt", "rcpt-", "rcpt-250", "rcpt-600", "rcpt-55", "rcpt-5500", "rcpt-550-"),
    *("rcpt-550-4.1.1", "rcpt-550-5.1", "rcpt-550-5.1.1111", "rcpt-550-5.1.1-x", "rcpt-550 "),
    *("rcpt-550\n", "rcpt-\u0665\u0665\u0660", "RCPT-550", "xrcpt-550", "delivery-10s", "delay-10"),
    *("delay-0s", "delay-601s", "delay-10m", "delay-1s-quit", "delay-1s-auth", "drip-1s-data"),
    *("drip-1s-connect", "greylist", "greylist-0", "greylist-2-rcpt", "limit-x", "drop", "drop-"),
    *("bounces", "bounce-", "bounce-550", "bounce-2.0.0", "bounce-fraud", "complaint-5.1.1"),
    *("complaints", "complaint-noise", "autoreply-fraud", "autoreply-5.1.1", "accepted-550"),
    *(
        "drop-box",
        "drop-accepted",
        "data-base",
        "end-user",
        "mail-room",
        "tls-failure",
        "help-desk-550",
    ),
)


@pytest.mark.parametrize("name", FAULTS)
def test_a_name_stands_for_a_fault(name: str) -> None:
    assert parse_fault(name) == FAULTS[name]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_like_any_other(name: str) -> None:
    assert parse_fault(name) is None
