"""Everything about one message: first what its bytes say, then what the DNS does.

`prepare` is what costs. It is done in a thread, as 32 KiB can be written to take 15 ms. `Examiner`
asks the DNS, within a time and a number of questions, and puts the results together.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

from twisted.internet.defer import Deferred, ensureDeferred, gatherResults
from twisted.internet.defer import TimeoutError as DeferredTimeoutError

from mailsacd.core.authentication import (
    ArcResult,
    Authentication,
    DkimResult,
    DmarcResult,
    SpfResult,
)
from mailsacd.core.dns import Found
from mailsacd.core.envelope import Envelope
from mailsacd.core.errors import LookupFailedError
from mailsacd.core.token import iso_time_from_ms
from mailsacd.mail.authentication.arc import Chain, check_chain, read_chain
from mailsacd.mail.authentication.author import author_domain
from mailsacd.mail.authentication.canonical import split_message
from mailsacd.mail.authentication.dkim import check_signature, read_signatures
from mailsacd.mail.authentication.dmarc import Organizational, Published, find_published, judge
from mailsacd.mail.authentication.evaluation import (
    Ask,
    Evaluation,
    Question,
    UnusableError,
    evaluate,
)
from mailsacd.mail.authentication.organization import read_list
from mailsacd.mail.authentication.signature import Hashes, Signature
from mailsacd.mail.authentication.spf import check_spf
from mailsacd.mime.arrival import Arrival, split_stored
from mailsacd.mime.results import server_of
from mailsacd.store.compression import expand, expanded_bytes
from mailsacd.work.sharing import Sharing
from mailsacd.work.threads import Lane

MAX_QUESTIONS: Final = 100
"""So many questions are asked for one message; what needs more is a temporary error."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What a message says without the DNS. ``author`` is the domain in From, or what is wrong.

    Without an ``arrival`` it did not come from outside.
    """

    arrival: Arrival | None
    author: str | UnusableError
    signatures: tuple[Signature, ...]
    ignored: int
    chain: Chain
    forged: int


def prepare(content: bytes, arrival: Arrival | None, hostname: str, received_ms: int) -> Prepared:
    """Return what ``content``, a message without our trace headers, says. Never raises.

    It is judged as of ``received_ms``, counted from the epoch, by a host called ``hostname``.
    """
    message = split_message(content)
    hashes = Hashes(message)
    author: str | UnusableError
    try:
        author = author_domain(content, message)
    except UnusableError as e:
        author = e
    now_s = received_ms // 1000
    signatures, ignored = read_signatures(hashes, now_s)
    results = message.named("authentication-results")
    return Prepared(
        arrival=arrival,
        author=author,
        signatures=signatures,
        ignored=ignored,
        chain=read_chain(hashes, now_s),
        forged=sum(server_of(field.text) == hostname for field in results),
    )


class Examiner:
    """Examines messages. ``ask`` asks the DNS; what a message says is read in ``lane``."""

    def __init__(
        self, ask: Ask, lane: Lane, *, hostname: str, timeout_s: float, reactor: Any
    ) -> None:
        """The DNS may take ``timeout_s`` seconds for a message, all questions together."""
        self._ask = ask
        self._lane = lane
        self._hostname = hostname
        self._timeout_s = timeout_s
        self._reactor = reactor
        self._organizational: Organizational | None = None
        self._reading: Sharing[None, Organizational] = Sharing()

    async def examine(self, envelope: Envelope) -> Authentication:
        """Examine a message that is not stored yet.

        Raises OverloadedError and UnavailableError when the lane has no place for it.
        """
        reception, content = envelope.reception, envelope.content
        arrival = Arrival(reception.peer_ip, envelope.reverse_path, reception.helo)
        work = partial(prepare, content, arrival, self._hostname, envelope.received_ms)
        return await self._look_up(await self._lane.run_in_thread(work, len(content)))

    async def examine_raw(self, raw: bytes, received_ms: int) -> Authentication:
        """Examine ``raw``, a stored message that came ``received_ms`` after the epoch.

        Raises as `examine`.
        """

        def work() -> Prepared:
            arrival, content = split_stored(raw)
            return prepare(content, arrival, self._hostname, received_ms)

        return await self._look_up(await self._lane.run_in_thread(work, len(raw)))

    async def examine_outside(self, stored: bytes, received_ms: int) -> Authentication | None:
        """Examine a message as it is ``stored``, compressed, unless it is not from outside: None.

        Raises as `examine`.
        """

        def work() -> Prepared | None:
            arrival, content = split_stored(expand(stored))
            if arrival is None:
                return None
            return prepare(content, arrival, self._hostname, received_ms)

        prepared = await self._lane.run_in_thread(work, expanded_bytes(stored))
        return None if prepared is None else await self._look_up(prepared)

    async def _look_up(self, prepared: Prepared) -> Authentication:
        organizational = await self._list()
        asking = _Asking(self._ask, self._timeout_s, self._reactor)
        author = prepared.author
        # all at once, as they ask different names
        spf, chain, published, dkim = await _all_of(
            asking.run(_spf(prepared.arrival)),
            asking.run(check_chain(prepared.chain)),
            asking.run(_published(author, organizational)),
            gatherResults(
                [asking.run(check_signature(each)) for each in prepared.signatures],
                consumeErrors=True,
            ),
        )
        if isinstance(author, UnusableError):
            dmarc = DmarcResult(result=author.result, domain="", reason=author.reason)
        else:
            dmarc = judge(author, published, spf, dkim, organizational)
        return Authentication(
            spf=spf,
            dkim=tuple(dkim),
            arc=chain,
            dmarc=dmarc,
            ignored_signatures=prepared.ignored,
            forged_results=prepared.forged,
            checked=iso_time_from_ms(int(self._reactor.seconds() * 1000)),
        )

    async def _list(self) -> Organizational:
        if self._organizational is None:
            self._organizational = await self._reading.get(None, self._read_list)
        return self._organizational

    async def _read_list(self) -> Organizational:
        return await self._lane.run_in_thread(read_list)


def _spf(arrival: Arrival | None) -> Evaluation[SpfResult]:
    if arrival is None:
        return SpfResult(
            result="none", domain="", identity="mailfrom", reason="it is not mail from outside"
        )
    return (yield from check_spf(arrival.ip, arrival.sender, arrival.helo))


def _published(
    author: str | UnusableError, organizational: Organizational
) -> Evaluation[Published]:
    if isinstance(author, UnusableError):
        return None
    return (yield from find_published(author, organizational))


class _Asking:
    """The questions about one message, which have a time and a number in common."""

    def __init__(self, ask: Ask, timeout_s: float, reactor: Any) -> None:
        self._ask_dns = ask
        self._reactor = reactor
        self._until_s = reactor.seconds() + timeout_s
        self._left = MAX_QUESTIONS

    def run(self, evaluation: Evaluation[T]) -> Deferred[T]:
        """Begin ``evaluation``, and return what it comes to."""
        return Deferred.fromCoroutine(evaluate(evaluation, self._ask))

    async def _ask(self, question: Question) -> Found[Any]:
        self._left -= 1
        left_s = self._until_s - self._reactor.seconds()
        if self._left < 0 or left_s <= 0:
            raise LookupFailedError("Asking the DNS takes too long for this message")
        asking = ensureDeferred(_coroutine(self._ask_dns, question))
        try:
            return await asking.addTimeout(left_s, self._reactor)
        except DeferredTimeoutError as e:
            raise LookupFailedError("Asking the DNS takes too long for this message") from e


async def _coroutine(ask: Ask, question: Question) -> Found[Any]:
    return await ask(question)


async def _all_of(
    spf: Deferred[SpfResult],
    chain: Deferred[ArcResult],
    published: Deferred[Published],
    dkim: Deferred[list[DkimResult]],
) -> tuple[SpfResult, ArcResult, Published, list[DkimResult]]:
    """What they come to, all under way at once; when one fails or is cancelled, none goes on."""
    parts: tuple[Deferred[Any], ...] = (spf, chain, published, dkim)
    try:
        return await spf, await chain, await published, await dkim
    finally:
        for part in parts:
            part.addErrback(lambda _: None)
            part.cancel()
