"""Mail that fails on purpose, as a client of the port sees it."""

import smtplib
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import maybeDeferred
from twisted.internet.threads import deferToThread

from mailsacd.certificate import CertificateStore, ReloadableContext
from mailsacd.core.authentication import (
    ArcResult,
    Authentication,
    DkimResult,
    DmarcResult,
    SpfResult,
)
from mailsacd.core.envelope import Envelope, Reception, Recipient
from mailsacd.core.fault import PlannedFault, SmtpFault
from mailsacd.core.fault_plan import FaultPlan
from mailsacd.core.outgoing import NewOutgoing
from mailsacd.fault_settings import FaultSettings
from mailsacd.mail.faults.answered_senders import AnsweredSenders, Examines
from mailsacd.mail.faults.answering import AT_ONCE, TO_ONE_AT_ONCE, Answering
from mailsacd.mail.faults.due import DueFaults
from mailsacd.mail.faults.notes import ProvokedNotes
from mailsacd.mail.faults.plans import FaultPlans
from mailsacd.mail.faults.provoking import Provoking
from mailsacd.mail.ownership.directory import Directory
from mailsacd.mail.receiving.accept import RecipientPolicy
from mailsacd.settings import MessageSettings, SmtpSettings, TlsSettings
from mailsacd.smtp.factory import SmtpFactory
from mailsacd.smtp.services import SmtpServices
from mailsacd.store.faults import KEPT, list_provoked, remove_plan, set_plan
from mailsacd.store.notices import Notices
from mailsacd.store.pool import Database
from tests.lanes import LANES
from tests.mail.property import add_accounts
from tests.patience import until
from tests.smtp.listener import Ingesting

reactor: Any = the_reactor
ensure = pytest_twisted.ensureDeferred
DOMAIN, OTHER_DOMAIN, PUBLIC_DOMAIN = "faults.example", "other.example", "public.example"
MAX_DELAYED_BYTES = 1_000
TAKEN = [250, 250, 354, 250]
BY_ADDRESS = FaultPlan(byAddress=True)


class Queued:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.messages: list[NewOutgoing] = []

    async def queue(self, new: NewOutgoing, *, charged: bool) -> str:
        assert charged
        self.messages.append(new)
        return "out1"


@dataclass
class Port:
    """A port, and what is behind it."""

    number: int
    database: Database
    plans: FaultPlans
    ingest: Ingesting
    queued: "Queued"
    answering: Answering
    provoking: Provoking
    notes: ProvokedNotes

    async def set(self, plan: FaultPlan = BY_ADDRESS) -> None:
        """Have it in force for DOMAIN."""
        await set_plan(self.database, DOMAIN, "owner", plan)
        await self.plans.read_now(DOMAIN)

    async def told(self) -> list[tuple[str, str, str]]:
        """The step, the fault and the answer of what was provoked, the newest first."""
        await self.notes.write_now()
        found = await list_provoked(self.database, DOMAIN, "owner")
        return [(each.facts.at, each.facts.fault, each.facts.answer) for each in found]

    async def talk(self, work: Callable[[smtplib.SMTP], Any], helo: str = "c.example") -> Any:
        """What ``work`` returns of a session; or "dropped", when the connection was closed."""

        def run() -> Any:
            client = smtplib.SMTP("127.0.0.1", self.number, helo, 30)
            try:
                return work(client)
            except (smtplib.SMTPServerDisconnected, ConnectionError):
                return "dropped"
            finally:
                client.close()

        return await deferToThread(run)

    async def mail(self, *recipients: str, sender: str = "a@b.example") -> Any:
        """The codes of the replies to a mail, up to the first that refuses."""
        return await self.talk(lambda client: mail(client, *recipients, sender=sender))


OpenPort = Callable[..., Awaitable[Port]]


@pytest_twisted.async_yield_fixture
async def open_port(
    database: Database, database_dsn: str, certificate: ReloadableContext
) -> AsyncIterator[OpenPort]:
    """Opens ports, with settings of faults."""
    opened: list[tuple[Any, FaultPlans]] = []
    await add_accounts(database, "owner", "else")
    await database.run(
        "insert into domain (name, owner, verified, verification_txt)"
        f" values ('{DOMAIN}', 'owner', true, 'x'), ('{OTHER_DOMAIN}', 'owner', true, 'x')"
    )

    async def make(*, examine: Examines | None = None, **settings: Any) -> Port:
        chosen = FaultSettings(**{"max_delay_s": 0.3, **settings})
        notices = Notices(database_dsn, LANES.rest, reactor=reactor)
        directory = Directory(database, notices)
        plans = FaultPlans(database, notices, chosen, reactor=reactor)
        await plans.start()
        ingest = Ingesting()
        notes = ProvokedNotes(database, reactor=reactor)
        due = DueFaults(database, directory, notes)
        queued = Queued()
        answering = Answering(
            due,
            AnsweredSenders(directory, chosen, examine),
            queued,
            hostname="mx.example",
            reactor=reactor,
        )
        provoking = Provoking(
            plans,
            due,
            chosen,
            accepted=answering.accepted,
            max_delayed_bytes=MAX_DELAYED_BYTES,
        )
        services = SmtpServices(
            hostname="mx.example",
            settings=SmtpSettings(starttls="offer"),
            message=MessageSettings(),
            accept=RecipientPolicy(database, directory, ("*",)),
            ingest=ingest,
            tls=certificate,
            clock=reactor,
            faults=provoking,
        )
        listening = reactor.listenTCP(0, SmtpFactory(services), interface="127.0.0.1")
        opened.append((listening, plans))
        return Port(
            listening.getHost().port, database, plans, ingest, queued, answering, provoking, notes
        )

    yield make
    for listening, plans in opened:
        await maybeDeferred(listening.stopListening)
        await plans.finish()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> ReloadableContext:
    directory: Path = tmp_path_factory.mktemp("tls")
    store = CertificateStore(TlsSettings(), data_dir=directory, hostname="mx.example")
    return store.context_factory


def at(local: str, domain: str = DOMAIN) -> str:
    return f"{local}@{domain}"


def mail(client: smtplib.SMTP, *recipients: str, sender: str) -> list[int]:
    codes = []
    client.ehlo()
    for line in (f"MAIL FROM:<{sender}>", *(f"RCPT TO:<{r}>" for r in recipients), "DATA"):
        code, _ = client.docmd(line)
        codes.append(code)
        if code >= 400:
            return codes
    client.send(b"Subject: Big order\r\n\r\nx\r\n.\r\n")
    return [*codes, client.getreply()[0]]


@ensure
async def test_names_are_names_until_their_domain_says_otherwise(open_port: OpenPort) -> None:
    port = await open_port()
    assert await port.mail(at("rcpt-550")) == TAKEN
    await port.set()
    assert await port.mail(at("rcpt-550")) == [250, 550]
    assert await port.mail(at("rcpt-550", OTHER_DOMAIN)) == TAKEN
    assert await port.mail(at("jeff"), sender=at("mail-550", OTHER_DOMAIN)) == TAKEN
    assert await port.talk(lambda c: c.ehlo(f"helo-501.{OTHER_DOMAIN}")[0]) == 250
    await remove_plan(port.database, DOMAIN, "owner")
    await port.plans.read_now(DOMAIN)
    assert not port.plans.active
    assert await port.mail(at("rcpt-550")) == TAKEN


@ensure
async def test_refusals_at_each_step(open_port: OpenPort) -> None:
    port = await open_port()
    await port.set()
    assert await port.mail(at("RCPT-552-5.2.2+any")) == [250, 552]
    assert await port.mail(at("jeff"), at("data-451")) == [250, 250, 250, 451]
    assert await port.mail(at("end-554")) == [250, 250, 354, 554]
    assert await port.mail(at("jeff"), sender=at("mail-450")) == [450]
    assert await port.talk(lambda c: c.ehlo(f"helo-501.{DOMAIN}")[0]) == 501
    assert port.ingest.envelopes == []
    assert await port.told() == [
        ("helo", "helo-501", "501 5.0.0 On purpose, by helo-501"),
        ("mail", "mail-450", "450 4.0.0 On purpose, by mail-450"),
        ("end", "end-554", "554 5.0.0 On purpose, by end-554"),
        ("data", "data-451", "451 4.0.0 On purpose, by data-451"),
        ("rcpt", "rcpt-552-5.2.2", "552 5.2.2 On purpose, by rcpt-552-5.2.2"),
    ]


@ensure
async def test_nobodys_faults_have_the_mail_of_others_fail(open_port: OpenPort) -> None:
    port = await open_port(peers=("127.0.0.1 delay-1ms-end",))
    others = at("rcpt-x", "elsewhere.example")
    await port.set()
    await set_plan(port.database, OTHER_DOMAIN, "owner", BY_ADDRESS)
    await port.plans.read_now(OTHER_DOMAIN)

    async def statuses(*recipients: str) -> list[bytes]:
        def work(client: smtplib.SMTP) -> list[bytes]:
            client.ehlo()
            client.docmd("MAIL FROM:<a@b.example>")
            return [client.docmd(f"RCPT TO:<{each}>")[1][:5] for each in recipients]

        found: list[bytes] = await port.talk(work)
        return found

    for local in ("data-554", "end-451", "drop-end", "delay-1s-end"):
        both = (others, at(local))
        for order in (both, both[::-1]):
            assert await statuses(*order) == [b"2.1.5", b"4.5.3"], order
    same = (at("data-554"), at("end-554", OTHER_DOMAIN), at("jeff"), at("x", OTHER_DOMAIN))
    assert set(await statuses(*same)) == {b"2.1.5"}
    assert set(await statuses(others, at("delay-1ms"))) == {b"2.1.5"}


@ensure
async def test_a_421_closes_and_a_drop_says_nothing(open_port: OpenPort) -> None:
    port = await open_port()
    await port.set()
    for local, codes in (("rcpt-421", 1), ("data-421", 2), ("end-421", 3)):

        def work(client: smtplib.SMTP, to: str = at(local), codes: int = codes) -> Any:
            assert mail(client, to, sender="")[codes:] == [421]
            return client.noop()

        assert await port.talk(work) == "dropped", local
    for local in ("drop-rcpt", "drop-data", "drop-end"):
        assert await port.mail(at(local)) == "dropped", local
    assert await port.mail(at("jeff"), sender=at("drop-mail")) == "dropped"
    assert await port.talk(lambda c: c.ehlo(f"drop-helo.{DOMAIN}")) == "dropped"
    assert port.ingest.envelopes == []
    assert port.ingest.budget.held_bytes == 0


@ensure
async def test_chunks_of_a_refused_message_are_no_commands(open_port: OpenPort) -> None:
    port = await open_port()
    await port.set()

    def work(client: smtplib.SMTP) -> Any:
        client.ehlo()
        client.docmd("MAIL FROM:<a@b.example>")
        client.docmd(f"RCPT TO:<{at('data-451')}>")
        client.send(b"BDAT 12 LAST\r\nQUIT\r\nRSET\r\nNOOP\r\n")
        return [client.getreply()[0], client.getreply()[0], client.noop()[0]]

    assert await port.talk(work) == [451, 250, 250]


@ensure
async def test_pipelined_commands_are_answered_in_order(open_port: OpenPort) -> None:
    port = await open_port()
    await port.set()

    def work(client: smtplib.SMTP) -> Any:
        client.ehlo()
        client.send(
            f"MAIL FROM:<a@b.example>\r\nRCPT TO:<{at('drip-200ms')}>\r\n"
            f"RCPT TO:<{at('rcpt-550')}>\r\nRCPT TO:<{at('delay-100ms')}>\r\nDATA\r\n".encode()
        )
        return [client.getreply() for _ in range(5)]

    replies = await port.talk(work)
    assert [code for code, _ in replies] == [250, 250, 550, 250, 354]
    assert replies[1][1] == b"2.1.5 Slowly, on purpose\n2.1.5 Recipient ok"


@pytest.mark.parametrize(
    "local", ["delay-600s", "drip-200ms", "delay-200ms-data", "drip-200ms-end"]
)
@ensure
async def test_it_takes_its_time_and_no_more_than_the_operator_lets_it(
    open_port: OpenPort, local: str
) -> None:
    port = await open_port()
    await port.set()
    began = time.monotonic()
    assert await port.mail(at(local)) == TAKEN
    assert time.monotonic() - began > 0.19


@ensure
async def test_too_many_do_not_wait(open_port: OpenPort) -> None:
    port = await open_port(max_delayed=0)
    await port.set()
    assert await port.mail(at("delay-1s")) == [250, 421]
    assert await port.mail(at("delay-1s-data")) == [250, 250, 421]


@ensure
async def test_the_first_tries_of_each_sender_are_greylisted(open_port: OpenPort) -> None:
    port = await open_port()
    await port.set()
    to = at("greylist-2+one")
    tries = [await port.mail(to) for _ in range(3)]
    assert tries == [[250, 450], [250, 450], TAKEN]
    assert await port.mail(to, sender="other@b.example") == [250, 450]
    assert await port.mail(at("greylist-2+two")) == [250, 450]
    await port.set()
    assert await port.mail(to) == [250, 450]


@ensure
async def test_what_is_beyond_a_limit_gets_421(open_port: OpenPort) -> None:
    port = await open_port()
    await port.set()
    assert [(await port.mail(at("limit-2")))[1] for _ in range(3)] == [250, 250, 421]


@ensure
async def test_tls_fails(open_port: OpenPort) -> None:
    port = await open_port()
    await port.set()

    def work(client: smtplib.SMTP) -> Any:
        client.ehlo()
        try:
            client.starttls(context=ssl._create_unverified_context())
        except ssl.SSLError as e:
            return e.reason
        return client.docmd("STARTTLS")[0]

    assert await port.talk(work, helo=f"tls-fail.{DOMAIN}") == "WRONG_VERSION_NUMBER"
    assert await port.talk(work, helo=f"drop-starttls.{DOMAIN}") == "dropped"
    assert await port.talk(work) == 503

    def refused(client: smtplib.SMTP) -> Any:
        client.ehlo()
        return client.docmd("STARTTLS")[0]

    assert await port.talk(refused, helo=f"starttls-454.{DOMAIN}") == 454


RULES = b"""{"rules": [
  {"fault": {"do": "refuse", "code": 552, "status": "5.2.2", "text": "Full", "at": "end"},
   "when": {"header": {"name": "Subject", "value": "big*"}, "recipient": "full*"}},
  {"fault": {"do": "refuse", "code": 451}, "when": {"everyNth": 3, "recipient": "third@*"}},
  {"fault": {"do": "refuse", "code": 550}, "when": {"sender": "*@spam.example"}},
  {"fault": {"do": "refuse", "code": 450},
   "when": {"probability": 0.5, "seed": "7", "recipient": "some@*"}}
]}"""


@ensure
async def test_rules_with_conditions(open_port: OpenPort) -> None:
    port = await open_port()
    rules = msgspec.json.decode(RULES, type=FaultPlan)
    await port.set(rules)
    assert await port.mail(at("full-1")) == [250, 250, 354, 552]
    assert (await port.told())[0][2] == "552 5.2.2 Full"
    assert await port.mail(at("rcpt-550")) == TAKEN
    assert [(await port.mail(at("third")))[1] for _ in range(6)] == [250, 250, 451] * 2
    assert await port.mail(at("x"), sender="a@spam.example") == [250, 550]
    drawn = [(await port.mail(at("some")))[1] for _ in range(8)]
    assert set(drawn) == {250, 450}
    await port.set(rules)
    assert [(await port.mail(at("some")))[1] for _ in range(8)] == drawn


@ensure
async def test_public_names_where_the_operator_lets_them(open_port: OpenPort) -> None:
    port = await open_port(public_domains=(PUBLIC_DOMAIN, OTHER_DOMAIN))
    assert await port.mail(at("rcpt-550", PUBLIC_DOMAIN)) == [250, 550]
    assert await port.mail(at("rcpt-550", "any.example")) == TAKEN
    assert await port.mail(at("x"), sender=at("mail-451", PUBLIC_DOMAIN)) == [451]
    assert await port.mail(at("rcpt-550", OTHER_DOMAIN)) == TAKEN, "it is somebody's"
    await port.database.run(
        "insert into address (email, domain, owner) values (%s, %s, 'else')",
        (at("rcpt-551", PUBLIC_DOMAIN), PUBLIC_DOMAIN),
    )
    assert await port.mail(at("rcpt-551", PUBLIC_DOMAIN)) == TAKEN, "it is somebody's"


@ensure
async def test_a_host_is_no_address(open_port: OpenPort) -> None:
    port = await open_port(public_domains=("*",))

    def greet(name: str, client: smtplib.SMTP) -> int:
        return client.docmd(f"EHLO {name}")[0]

    for name in ("helo-550.@", "helo-550.a@b.example"):
        code = await port.talk(partial(greet, name))
        assert code in {250, 501}, name
    assert await port.talk(partial(greet, "helo-550.b.example")) == 550


@ensure
async def test_a_claim_that_is_not_proved_has_no_faults(open_port: OpenPort) -> None:
    port = await open_port()
    await port.set()
    await port.database.run("update domain set verified = false where name = %s", (DOMAIN,))
    await port.plans.read_now(DOMAIN)
    assert await port.mail(at("rcpt-550")) == TAKEN


@ensure
async def test_a_plan_that_is_not_understood_stands_in_no_others_way(open_port: OpenPort) -> None:
    port = await open_port()
    await port.database.run(
        "insert into fault_plan (domain, owner, plan) values (%s, 'owner', %s)",
        (OTHER_DOMAIN, '{"byAddress": true, "of a later version": 1}'),
    )
    await port.set()
    assert await port.mail(at("rcpt-550")) == [250, 550]
    assert await port.mail(at("rcpt-550", OTHER_DOMAIN)) == TAKEN


@ensure
async def test_nobody_has_faults_where_the_operator_wants_none(open_port: OpenPort) -> None:
    port = await open_port(enabled=False, public_domains=("*",), peers=("127.0.0.1 connect-421",))
    await port.set()
    assert await port.mail(at("rcpt-550")) == TAKEN


@ensure
async def test_the_last_are_told(open_port: OpenPort) -> None:
    port = await open_port()
    await port.set()

    def work(client: smtplib.SMTP) -> None:
        client.ehlo()
        client.docmd("MAIL FROM:<a@b.example>")
        for number in range(KEPT + 5):
            client.docmd(f"RCPT TO:<{at(f'rcpt-550+{number}')}>")

    await port.talk(work)
    assert await list_provoked(port.database, DOMAIN, "owner") == [], "nothing is written meanwhile"
    await port.notes.write_now()
    found = await list_provoked(port.database, DOMAIN, "owner")
    assert [each.number for each in found] == list(range(KEPT + 5, 5, -1))
    assert found[0].facts.name == at(f"rcpt-550+{KEPT + 4}")
    assert (found[0].facts.sender, found[0].facts.peer) == ("a@b.example", "127.0.0.1")


@ensure
async def test_who_is_refused_again_and_again_is_sent_away(open_port: OpenPort) -> None:
    port = await open_port()
    await port.set()

    def work(client: smtplib.SMTP) -> int:
        client.ehlo()
        for number in range(100):
            if client.docmd(f"MAIL FROM:<{at('mail-450')}>")[0] == 421:
                return number
        return 100

    assert await port.talk(work) < 100


@ensure
async def test_peers_of_the_operators(open_port: OpenPort) -> None:
    names = ("connect-421", "connect-554", "drop-connect", "delay-200ms-connect", "end-452")
    port = await open_port(peers=tuple(f"127.0.0.{n + 2} {name}" for n, name in enumerate(names)))

    def greeting(peer: str) -> bytes:
        address = ("127.0.0.1", port.number)
        with socket.create_connection(address, 10, (peer, 0)) as client:
            try:
                return client.recv(100)[:3]
            except ConnectionError:
                return b"dropped"

    found = [await deferToThread(greeting, f"127.0.0.{n}") for n in range(1, 7)]
    assert found == [b"220", b"421", b"554", b"dropped", b"220", b"220"]

    def to_the_end() -> list[int]:
        with smtplib.SMTP("127.0.0.1", port.number, "c", 30, ("127.0.0.6", 0)) as client:
            return mail(client, "x@any.example", sender="a@b.example")

    assert await deferToThread(to_the_end) == [250, 250, 354, 452]


@ensure
async def test_who_hangs_up_meanwhile_leaves_nothing(open_port: OpenPort) -> None:
    port = await open_port(max_delay_s=600)
    await port.set()

    def work(client: smtplib.SMTP) -> None:
        client.ehlo()
        client.send(f"MAIL FROM:<>\r\nRCPT TO:<{at('delay-600s')}>\r\n".encode())
        client.getreply()

    await port.talk(work)
    assert await port.mail(at("jeff")) == TAKEN


@ensure
async def test_a_message_that_waits_holds_little_and_waits_for_nobody(open_port: OpenPort) -> None:
    port = await open_port(max_delay_s=600)
    await port.set()

    def begin(client: smtplib.SMTP, local: str, size: int) -> None:
        client.ehlo()
        client.docmd("MAIL FROM:<a@b.example>")
        client.docmd(f"RCPT TO:<{at(local)}>")
        client.docmd("DATA")
        client.send(b"Subject: x\r\n\r\n" + b"y" * size + b"\r\n.\r\n")

    def too_large(client: smtplib.SMTP) -> int:
        begin(client, "delay-600s-end", MAX_DELAYED_BYTES)
        return client.getreply()[0]

    assert await port.talk(too_large) == 250

    await port.talk(lambda client: begin(client, "delay-600s-end", 500))
    await until(lambda: len(port.ingest.envelopes) == 2)
    assert port.ingest.budget.held_bytes == 0

    clients: list[smtplib.SMTP] = []

    def stay() -> None:
        client = smtplib.SMTP("127.0.0.1", port.number, "c.example", 30)
        clients.append(client)
        begin(client, "drip-600s-end", 500)

    await deferToThread(stay)
    await until(lambda: len(port.ingest.envelopes) == 3)
    assert port.ingest.budget.held_bytes == 0, "nothing is held for an answer"
    clients[0].close()
    await until(lambda: port.provoking.places.taken == 0)


@ensure
async def test_nobody_takes_all_places_to_wait(open_port: OpenPort) -> None:
    port = await open_port(max_delayed=4, max_delay_s=600)
    await port.set()
    with port.provoking.places.take(("owner owner",)):
        assert await port.mail(at("delay-1s")) == [250, 421]
    with port.provoking.places.take(("peer 127.0.0.1",)):
        assert await port.mail(at("delay-1s")) == [250, 421]
    with port.provoking.places.take(("owner else", "peer 192.0.2.1")):
        assert await port.mail(at("delay-1ms")) == TAKEN


@ensure
async def test_accepted_mail_is_answered_where_it_may_be(open_port: OpenPort) -> None:
    port = await open_port()
    sender = at("app", OTHER_DOMAIN)
    await port.set()
    assert await port.mail(at("bounce-5.1.1"), sender=sender) == TAKEN
    assert await port.told() == [], "its owner has not asked for answers"
    await port.set(FaultPlan(byAddress=True, answers=True))
    for local in ("bounce-5.1.1", "bounce-4.2.2", "complaint-fraud", "autoreply"):
        assert await port.mail(at(local), sender=sender) == TAKEN
    assert await port.mail(at("bounce"), sender="stranger@elsewhere.example") == TAKEN
    assert await port.mail(at("bounce"), sender="") == TAKEN
    await until(lambda: len(port.queued.messages) == 4)
    await port.answering.finish()
    told = await port.told()
    answers = {fault: answer for _, fault, answer in told}
    assert answers["autoreply"] == "queued as out1"
    strangers = [answer for _, fault, answer in told if fault == "bounce"]
    assert set(strangers) == {
        "not sent: the sender is in no domain of the account's",
        "not sent: no automatic mail may answer this message",
    }
    assert {(m.account, m.reverse_path, m.origin) for m in port.queued.messages} == {
        ("owner", "", "report")
    }
    assert {m.recipients[0].address for m in port.queued.messages} == {sender}


@ensure
async def test_who_may_be_answered_is_also_the_operators_to_say(open_port: OpenPort) -> None:
    port = await open_port(answer_domains=("elsewhere.example",))
    await port.set(FaultPlan(byAddress=True, answers=True))
    for number in range(TO_ONE_AT_ONCE + 1):
        assert await port.mail(at(f"bounce+{number}"), sender="a@elsewhere.example") == TAKEN
    await until(lambda: len(port.queued.messages) == TO_ONE_AT_ONCE)
    await port.answering.finish()
    answers = [answer for _, _, answer in await port.told()]
    assert answers.count("not sent: its sender was sent too much lately") == 1


def _sent(peer_ip: str, planned: PlannedFault, path: str = "a@elsewhere.example") -> Envelope:
    recipient = Recipient(
        original_inbox=at("bounce", planned.domain),
        inbox=at("bounce", planned.domain),
        domain=planned.domain,
        faults=(planned,),
    )
    return Envelope(
        id="e",
        received_ms=1_780_000_000_000,
        reverse_path=path,
        recipients=(recipient,),
        reception=Reception(
            peer_ip=peer_ip, local_ip="192.0.2.2", helo="c", protocol="ESMTP", tls=None
        ),
        content=b"Subject: x\r\n\r\ny\r\n",
    )


def _bounce(domain: str = DOMAIN) -> PlannedFault:
    fault = SmtpFault(do="bounce")
    return PlannedFault(fault=fault, key="bounce", domain=domain, owner="owner")


@pytest.mark.parametrize(
    ("spf", "signer", "peer_ip", "expected"),
    [
        ("pass", "", "192.0.2.1", 1), ("fail", "", "192.0.2.1", 0), ("none", "", "127.0.0.1", 1),
        ("fail", "elsewhere.example", "192.0.2.1", 1), ("fail", "example", "192.0.2.1", 1),
        ("fail", "where.example", "192.0.2.1", 0), ("fail", "x.elsewhere.example", "192.0.2.1", 0),
    ],
)  # fmt: skip
@ensure
async def test_a_forged_sender_is_not_answered(
    open_port: OpenPort, spf: Any, signer: str, peer_ip: str, expected: int
) -> None:
    async def examine(_envelope: Envelope) -> Authentication:
        signed = DkimResult(result="pass", domain=signer, selector="s", algorithm="a")
        return Authentication(
            spf=SpfResult(result=spf, domain="elsewhere.example", identity="mailfrom"),
            dkim=(signed,) if signer else (),
            arc=ArcResult(result="none", instances=0),
            dmarc=DmarcResult(result="none", domain="elsewhere.example"),
            checked="2026-11-30T00:00:00.000Z",
        )

    port = await open_port(answer_domains=("*",), examine=examine)
    port.answering.accepted(_sent(peer_ip, _bounce()))
    await port.answering.finish()
    assert len(port.queued.messages) == expected


@ensure
async def test_an_account_answers_so_much_by_all_its_domains(open_port: OpenPort) -> None:
    port = await open_port(answer_domains=("*",))
    for number in range(AT_ONCE + 3):
        domain = (DOMAIN, OTHER_DOMAIN)[number % 2]
        path = f"{number}@elsewhere.example"
        port.answering.accepted(_sent("127.0.0.1", _bounce(domain), path))
    await port.answering.finish()
    assert len(port.queued.messages) == AT_ONCE
