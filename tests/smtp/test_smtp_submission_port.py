"""The port that submits, over real sockets: what becomes of a message, and each refusal's reply."""

import base64
from collections.abc import Callable

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred
from twisted.logger import LogEvent

from mailsacd.certificate import ReloadableContext
from mailsacd.core.errors import (
    BadAddressError,
    ConfigurationError,
    ForbiddenError,
    InvalidInputError,
    MailLoopError,
    NotEnoughCreditsError,
    OverloadedError,
    ThrottledError,
    TooLargeError,
    UnauthenticatedError,
    UnavailableError,
)
from mailsacd.settings import SubmissionSettings
from tests.patience import until
from tests.smtp.listener import SmtpListener, Submitting
from tests.sockets.loopback import Wire

ensure = pytest_twisted.ensureDeferred

RIGHT = b"AUTH PLAIN " + base64.b64encode(b"\0ann\0right") + b"\r\n"
MAIL = b"MAIL FROM:<a@b.example> RET=HDRS ENVID=e1\r\n"
MESSAGE = MAIL + b"RCPT TO:<c@d.example> NOTIFY=DELAY\r\nDATA\r\nhello\r\n.\r\n"

Listen = Callable[..., SmtpListener]


@pytest.fixture
def submission() -> Submitting:
    return Submitting()


@pytest.fixture
def port(listen: Listen, tls: ReloadableContext, submission: Submitting) -> SmtpListener:
    """As the settings have it by default."""
    settings = SubmissionSettings()
    return listen(settings, tls=tls, submission=submission, plain_login=settings.plain_login)


async def _logged_in(listener: SmtpListener) -> Wire:
    wire = await listener.connect()
    await wire.talk(b"EHLO c.example\r\n" + RIGHT, 250, 235)
    wire.received = b""
    return wire


@ensure
async def test_a_message_is_queued_and_nothing_of_it_is_stored(
    port: SmtpListener, submission: Submitting
) -> None:
    wire = await _logged_in(port)
    wire.send(MESSAGE)
    await wire.until(lambda: len(wire.codes) == 4)
    assert wire.received.endswith(b"250 2.0.0 Ok: queued as out1\r\n")
    ((account, envelope),) = submission.delivered
    assert (account, envelope.reception.protocol) == ("ann", "ESMTPA")
    assert (envelope.ret, envelope.envid) == ("HDRS", "e1")
    assert [(r.original_inbox, r.notify) for r in envelope.recipients] == [("c@d.example", "DELAY")]
    assert submission.senders == [("ann", "a@b.example")]
    assert port.ingest.envelopes == []


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (ForbiddenError("not yours"), b"550 5.7.1 not yours"),
        (NotEnoughCreditsError("Not enough credits for 2"), b"552 5.7.1 Not enough credits for 2"),
        (InvalidInputError("two From fields, ü"), b"550 5.6.0 two From fields, \\xfc"),
        (TooLargeError("over 5 bytes"), b"552 5.3.4 over 5 bytes"),
        (ThrottledError("try again in 9 s", retry_after_s=9), b"451 4.7.0 try again in 9 s"),
        (MailLoopError("a loop"), b"554 5.4.6 a loop"),
        (UnauthenticatedError("suspended"), b"530 5.7.0 suspended"),
        (OverloadedError("busy"), b"451 4.3.1 "),
        (UnavailableError("away"), b"451 4.3.0 "),
        (RuntimeError("a defect"), b"451 4.3.0 "),
    ],
)
@ensure
async def test_what_is_not_queued_is_refused_with_a_code_that_tells_why(
    port: SmtpListener,
    submission: Submitting,
    error: Exception,
    answer: bytes,
    logged_errors: list[LogEvent],
) -> None:
    submission.on_deliver = error
    wire = await _logged_in(port)
    wire.send(MESSAGE)
    await wire.until(lambda: len(wire.codes) == 4)
    assert wire.received.splitlines()[-1].startswith(answer)
    assert len(logged_errors) == isinstance(error, RuntimeError)
    logged_errors.clear()
    submission.on_deliver = None
    wire.received = b""
    await wire.talk(MESSAGE, 250, 250, 354, 250)


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (ForbiddenError("b@c is not yours"), b"550 5.7.1 b@c is not yours\r\n"),
        (BadAddressError("no address"), b"501 5.1.7 no address\r\n"),
        (UnauthenticatedError("suspended"), b"530 5.7.0 suspended\r\n"),
        (UnavailableError("away"), b"451 4.3.0 Cannot check the sender now\r\n"),
        (RuntimeError("a defect"), b"451 4.3.0 Cannot check the sender now\r\n"),
    ],
)
@ensure
async def test_a_sender_that_is_not_taken_is_refused_at_mail(
    port: SmtpListener,
    submission: Submitting,
    error: Exception,
    answer: bytes,
    logged_errors: list[LogEvent],
) -> None:
    submission.on_sender = error
    wire = await _logged_in(port)
    wire.send(MAIL)
    await wire.until(lambda: bool(wire.codes))
    assert wire.received == answer
    logged_errors.clear()
    submission.on_sender = None
    await wire.talk(MESSAGE, *wire.codes, 250, 250, 354, 250)


@ensure
async def test_a_client_that_goes_away_while_its_sender_is_checked_leaves_nothing(
    port: SmtpListener, submission: Submitting
) -> None:
    given_up: list[object] = []
    submission.hold_sender = Deferred(given_up.append)
    wire = await _logged_in(port)
    wire.send(MESSAGE)
    await until(lambda: bool(submission.senders))
    wire.abort()
    await port.gone()
    assert given_up
    assert submission.delivered == []


def test_a_wrong_setting_is_named_with_its_section(listen: Listen, submission: Submitting) -> None:
    with pytest.raises(ConfigurationError, match=r"submission\.proxy_networks"):
        listen(SubmissionSettings(proxy_networks=("nowhere",)), submission=submission)
