"""Mail that the daemon itself sends: to whom, how much, and what is in it."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor

from mailsacd.core.actor import by_command
from mailsacd.core.errors import BadAddressError, ConfigurationError, ThrottledError
from mailsacd.mail.limits.warnings import UsageWarning
from mailsacd.mail.ownership.directory import Directory
from mailsacd.mail.sending.account_mail import ASKED_AT_ONCE, AccountMail
from mailsacd.mail.sending.letters import Letter, invitation_letter
from mailsacd.mail.sending.own_mail import A_DAY, OwnMail, OwnMailRules, own_sender
from mailsacd.mail.sending.queueing import Queueing
from mailsacd.mail.sending.senders import Senders
from mailsacd.store.compression import expand
from mailsacd.store.pool import Database
from tests.lanes import LANES
from tests.mail.owners import reserve
from tests.mail.people import People, people

reactor: Any = the_reactor

SERVER = "mx.host.example"
SENDER = f"mailsacd@{SERVER}"
PEER = "192.0.2.1"
WARNING = UsageWarning(account="ann", percent=80, limit=100_000)


@dataclass(frozen=True)
class Desk:
    """Who writes, and to whom."""

    people: People
    own_mail: OwnMail
    mail: AccountMail

    @property
    def database(self) -> Database:
        return self.people.database

    async def written(self) -> list[EmailMessage]:
        """What is queued, when no letter is being written any more."""
        await self.mail._tasks.idle(5)
        rows = await self.database.fetch("select body from outgoing_message order by id")
        return [message_from_bytes(expand(bytes(body)), policy=SMTP) for (body,) in rows]


@pytest_twisted.async_yield_fixture
async def desk(database: Database, database_dsn: str) -> AsyncIterator[Desk]:
    async with people(database, database_dsn) as made:
        await made.accounts.add("ann", "Ann@Example.net")
        directory = Directory(database, made.notices)
        own_mail = OwnMail(
            Queueing(made.accounts, LANES.rest, reactor=reactor),
            directory,
            Senders(directory, ("*", "named.example"), "host.example"),
            OwnMailRules(sender=SENDER, server=SERVER, front=lambda: "https://mail.example"),
            reactor=reactor,
        )
        mail = AccountMail(database, own_mail, reset_hours=24, reactor=reactor)
        yield Desk(made, own_mail, mail)
        await mail.finish()


@pytest.mark.parametrize("name", ["ann", "ANN", "ann@example.net"])
@pytest_twisted.ensureDeferred
async def test_a_forgotten_password_is_set_by_the_link_that_is_mailed(
    desk: Desk, name: str
) -> None:
    desk.mail.ask_for_reset(name, peer=PEER)
    [message] = await desk.written()
    assert (message["From"], message["To"]) == (SENDER, "ann@example.net")
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"].endswith(f"@{SERVER}>")
    text, page = (part.get_content() for part in message.iter_parts())
    found = re.search(r"https://mail\.example/reset-password\?token=([\w-]{43})\s", text)
    assert found
    assert f'<a href="{found[0].strip()}">' in page
    await desk.people.sessions.reset_password(found[1], "a new password")
    assert await desk.people.sessions.sign_in("ann", "a new password", peer=PEER)
    assert await desk.database.fetch(
        "select m.account, origin, reverse_path, header_from, address"
        " from outgoing_message m join outgoing_recipient r on r.message_id = m.id"
    ) == [(None, "service", "", SENDER, "ann@example.net")]
    assert await desk.database.fetch("select kind from usage") == []


@pytest.mark.parametrize("name", ["bob", "bob@example.net", "carl", "a\0b", "x" * 250, "@"])
@pytest_twisted.ensureDeferred
async def test_nobody_else_gets_any_and_who_asks_learns_nothing(desk: Desk, name: str) -> None:
    await desk.people.team.add(
        by_command("ann"), "carl", "a good password"
    )  # who has no mail address
    desk.mail.ask_for_reset(name, peer=PEER)
    assert await desk.written() == []


@pytest_twisted.ensureDeferred
async def test_a_suspended_account_gets_none(desk: Desk) -> None:
    await desk.people.accounts.change("ann", {"suspended": True})
    desk.mail.ask_for_reset("ann", peer=PEER)
    desk.mail.warn(WARNING)
    assert await desk.written() == []


@pytest.mark.parametrize(
    "email", ["ann@named.example", "ann+tag@x.host.example", f"ann@{SERVER}", "ann@shown.example"]
)
@pytest_twisted.ensureDeferred
async def test_a_link_never_goes_into_an_inbox_that_anybody_reads(desk: Desk, email: str) -> None:
    await desk.database.run(
        "insert into domain (name, owner, verified, is_private, verification_txt)"
        " values ('shown.example', 'ann', true, false, '')"
    )
    await desk.people.accounts.change("ann", {"email": email})
    desk.mail.ask_for_reset("ann", peer=PEER)
    assert await desk.written() == []
    assert await desk.database.fetch("select login from password_reset") == []
    await reserve(desk.database, "ann", email.replace("+tag", ""))
    desk.own_mail._directory.forget_all()
    desk.mail.ask_for_reset("ann", peer=PEER)
    assert len(await desk.written()) == 1


@pytest_twisted.ensureDeferred
async def test_who_asks_too_often_is_refused_for_any_name(desk: Desk) -> None:
    for _ in range(ASKED_AT_ONCE):
        desk.mail.ask_for_reset("bob", peer=PEER)
    for name in ("bob", "ann"):
        with pytest.raises(ThrottledError):
            desk.mail.ask_for_reset(name, peer=PEER)
    desk.mail.ask_for_reset("ann", peer="198.51.100.1")
    assert len(await desk.written()) == 1


@pytest_twisted.ensureDeferred
async def test_an_account_gets_so_many_a_day_and_its_last_link_is_good(desk: Desk) -> None:
    for n in range(A_DAY + 3):
        desk.mail.ask_for_reset("ann", peer=f"192.0.{n}.1")
    letters = await desk.written()
    assert len(letters) == A_DAY
    assert len(await desk.database.fetch("select login from password_reset")) == 1
    desk.mail.warn(WARNING)
    assert len(await desk.written()) == A_DAY + 1  # one of another kind


@pytest_twisted.ensureDeferred
async def test_usage_is_told_of(desk: Desk) -> None:
    desk.mail.warn(WARNING)
    desk.mail.warn(UsageWarning(account="gone", percent=100, limit=1))
    [message] = await desk.written()
    assert message["Subject"] == f"ann has used 80 % of its operations at {SERVER}"
    assert "80 % of the 100,000 operations" in next(message.iter_parts()).get_content()
    await desk.mail.finish()
    desk.mail.warn(WARNING)  # of no use, and no harm


@pytest_twisted.ensureDeferred
async def test_what_is_written_is_ascii_and_its_page_has_nothing_of_others_in_it(
    desk: Desk,
) -> None:
    letter = Letter(subject="Grüße\r\nBcc: x@y.example", paragraphs=("<b>&", "ü" * 2_000))
    with pytest.raises(ValueError, match="linefeed"):
        await desk.own_mail.send(letter, "bob@example.org")
    letter = Letter(subject="Grüße", paragraphs=letter.paragraphs, link='https://x.example/?"<')
    await desk.own_mail.send(letter, "Bob@example.org")
    [message] = await desk.written()
    content = message.as_bytes()
    assert content.isascii()
    assert max(map(len, content.splitlines())) <= 998
    page = list(message.iter_parts())[1].get_content()
    assert "<p>&lt;b&gt;&amp;</p>" in page
    assert 'href="https://x.example/?&quot;&lt;"' in page


@pytest_twisted.ensureDeferred
async def test_an_address_beyond_ascii_is_written_as_it_is(desk: Desk) -> None:
    await desk.own_mail.send(Letter(subject="Grüße", paragraphs=("ü",)), "jürgen@example.org")
    [(body, smtputf8)] = await desk.database.fetch("select body, smtputf8 from outgoing_message")
    assert smtputf8
    assert "\r\nTo: jürgen@example.org\r\n".encode() in expand(bytes(body))


@pytest.mark.parametrize("recipient", ["no address", "a@b.example\r\nBcc: x@y.example", ""])
@pytest_twisted.ensureDeferred
async def test_an_invitation_goes_to_an_address(desk: Desk, recipient: str) -> None:
    with pytest.raises(BadAddressError):
        await desk.own_mail.send(
            invitation_letter("https://x.example", server=SERVER, days=14), recipient
        )


def test_who_writes() -> None:
    assert own_sender("", "Mx.Host.example") == SENDER
    assert own_sender("Post@host.example", SERVER) == "post@host.example"
    with pytest.raises(ConfigurationError, match=r"relay\.own_sender"):
        own_sender("nobody", SERVER)
