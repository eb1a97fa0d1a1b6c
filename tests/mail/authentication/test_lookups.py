"""Questions for the DNS: what is remembered, what is shared, and what one message may ask."""

from typing import Any, Literal

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import Clock
from twisted.names import dns as names

from mailsacd.core.dns import Found, MailHost
from mailsacd.core.envelope import Envelope
from mailsacd.core.errors import LookupFailedError, UnavailableError
from mailsacd.mail.authentication.evaluation import Question
from mailsacd.mail.authentication.examination import MAX_QUESTIONS, Examiner
from mailsacd.mail.authentication.lookups import FAILURE_KEPT_S, KEPT_S, REMEMBERED, Lookups
from mailsacd.store.compression import compress
from mailsacd.work.threads import Lane
from tests.lanes import LANES
from tests.mail.authentication.signer import MESSAGE, OUTSIDE, record, rsa, sign
from tests.mail.envelopes import RECEPTION
from tests.outbound.name_server import Network

reactor: Any = the_reactor
ensure = pytest_twisted.ensureDeferred
TXT = Question("TXT", "example.com")


class SlowDns:
    """Answers when the test says so; it counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.waiting: list[Deferred[Any]] = []

    async def texts(self, name: str) -> Found[str]:
        self.asked.append(name)
        answer: Deferred[Found[str]] = Deferred()
        self.waiting.append(answer)
        return await answer

    async def mail_hosts(self, name: str) -> Found[MailHost]:
        return Found((MailHost(1, name),))

    async def addresses_of(self, name: str, version: Literal[4, 6]) -> Found[str]:
        return Found((name, str(version)))

    async def names(self, address: str) -> Found[str]:
        return Found((address,))


def test_who_asks_at_once_shares_an_answer_which_is_kept_for_a_minute() -> None:
    dns, clock = SlowDns(), Clock()
    lookups = Lookups(dns, clock)
    both = [ensureDeferred(lookups.ask(TXT)) for _ in range(2)]
    assert dns.asked == ["example.com"]
    dns.waiting.pop().callback(Found(("a",)))
    assert [one.result for one in both] == [Found(("a",))] * 2
    clock.advance(KEPT_S - 1)
    assert ensureDeferred(lookups.ask(TXT)).result == Found(("a",))
    clock.advance(1)
    ensureDeferred(lookups.ask(TXT))
    assert len(dns.asked) == 2


def test_a_failure_is_kept_for_a_moment() -> None:
    dns, clock = SlowDns(), Clock()
    lookups = Lookups(dns, clock)
    first = ensureDeferred(lookups.ask(TXT))
    dns.waiting.pop().errback(LookupFailedError("The name servers do not answer"))
    second = ensureDeferred(lookups.ask(TXT))
    for failed in (first, second):
        failed.addErrback(lambda failure: failure.trap(LookupFailedError))
    assert dns.asked == ["example.com"]
    clock.advance(FAILURE_KEPT_S)
    ensureDeferred(lookups.ask(TXT))
    assert len(dns.asked) == 2


def test_what_is_remembered_has_a_bound_in_number_and_size() -> None:
    dns = SlowDns()
    lookups = Lookups(dns, Clock())
    for number in range(REMEMBERED + 5):
        ensureDeferred(lookups.ask(Question("A", f"h{number}.example")))
    assert len(lookups._known) == REMEMBERED
    for long in (("x" * 5_000,), ("",) * 101):
        ensureDeferred(lookups.ask(TXT))
        dns.waiting.pop().callback(Found(long))
    ensureDeferred(lookups.ask(TXT))
    assert len(dns.asked) == 3


@pytest.mark.parametrize(
    "name", ["a b.example", "", "..", "[192.0.2.1]", "ü\u2028.example", "x" * 64]
)
def test_a_name_that_cannot_be_is_not_there_and_not_asked_for(name: str) -> None:
    dns = SlowDns()
    answer = ensureDeferred(Lookups(dns, Clock()).ask(Question("TXT", name)))
    assert answer.result == Found((), exists=False)
    assert dns.asked == []


def _examiner(ask: Any, clock: Any, timeout_s: float = 5) -> Examiner:
    return Examiner(ask, LANES.checks, hostname="mx.example", timeout_s=timeout_s, reactor=clock)


@ensure
async def test_one_message_asks_a_bounded_number_of_questions() -> None:
    asked: list[Question] = []

    async def ask(question: Question) -> Found[Any]:
        """Ten hosts a mechanism, of which none matches."""
        asked.append(question)
        if question.kind == "MX":
            return Found(tuple(MailHost(1, f"{n}.{question.name}") for n in range(10)))
        if question.kind == "TXT":
            terms = " ".join(f"mx:m{n}.example" for n in range(10))
            return Found((f"v=spf1 {terms} -all",))
        return Found(("198.51.100.1",))

    found = await _examiner(ask, reactor).examine_raw(OUTSIDE + sign(), 0)
    assert found.spf.result == "temperror"
    assert len(asked) == MAX_QUESTIONS


@ensure
async def test_a_name_server_that_is_silent_costs_no_more_than_the_time_of_a_message(
    network: Network,
) -> None:
    network.usual.answers.silent |= {"s._domainkey.example.com", "_dmarc.example.com"}
    lookups = Lookups(network.resolver(timeout_s=20), reactor)
    began = reactor.seconds()
    found = await _examiner(lookups.ask, reactor, 0.3).examine_raw(sign(), 0)
    assert reactor.seconds() - began < 10
    assert (found.dkim[0].result, found.dmarc.result) == ("temperror", "temperror")
    assert found.is_temporary


@ensure
async def test_text_of_many_strings_and_a_server_that_fails(network: Network) -> None:
    text = record(rsa()).encode()
    pieces = (text[at : at + 9] for at in range(0, len(text), 9))
    network.usual.answers.add("s._domainkey.example.com", names.Record_TXT(*pieces))
    network.usual.answers.failing.add("_dmarc.example.com")
    lookups = Lookups(network.resolver(), reactor)
    found = await _examiner(lookups.ask, reactor).examine_raw(sign(), 0)
    assert (found.dkim[0].result, found.dmarc.result) == ("pass", "temperror")
    again = await _examiner(lookups.ask, reactor).examine_raw(MESSAGE, 0)
    assert (again.dkim, again.dmarc.result, again.spf.result) == ((), "temperror", "none")


@ensure
async def test_what_a_message_says_is_never_read_on_the_reactor() -> None:
    lane = Lane("busy", threads=0, max_waiting=3, max_waiting_bytes=1 << 20, reactor=reactor)
    examiner = Examiner(
        Lookups(SlowDns(), reactor).ask, lane, hostname="mx.example", timeout_s=5, reactor=reactor
    )
    new = Envelope(
        id="1", received_ms=0, reverse_path="", recipients=(), reception=RECEPTION, content=MESSAGE
    )
    examined: list[Any] = [
        examiner.examine(new), examiner.examine_raw(MESSAGE, 0),
        examiner.examine_outside(compress(MESSAGE), 0),
    ]  # fmt: skip
    waiting = [ensureDeferred(each) for each in examined]
    assert not any(each.called for each in waiting)
    await lane.stop()
    for each in waiting:
        with pytest.raises(UnavailableError):
            await each
