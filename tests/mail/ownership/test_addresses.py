"""Private addresses: who gets one, who is refused, and what becomes of the mail."""

from collections.abc import Awaitable, Coroutine
from typing import Any, cast

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import DeferredList, ensureDeferred

from mailsacd.core.actor import ANYONE, Actor
from mailsacd.core.budget import ByteBudget
from mailsacd.core.errors import (
    BadAddressError,
    InvalidInputError,
    MailsacdError,
    NotFoundError,
    UnauthenticatedError,
)
from mailsacd.mail.ownership.address_settings import checked_settings
from mailsacd.mail.receiving.compose import Composer
from mailsacd.mail.receiving.ingest import Ingest
from mailsacd.store.addresses import find_address_login
from mailsacd.store.alternates import find_alternate
from tests.lanes import LANES
from tests.mail.envelopes import envelope
from tests.mail.property import ANN, BOB, Node, add_accounts

reactor: Any = the_reactor

SIMPLE = b"From: Ann <ann@example.net>\r\nTo: Bob <x@example.com>\r\nSubject: hi\r\n\r\nhello\r\n"


async def _together(*work: Awaitable[Any]) -> tuple[list[Any], list[type[BaseException]]]:
    """What all of it, begun at once, came to: results, and the kinds of errors."""
    begun = [ensureDeferred(cast("Coroutine[Any, Any, Any]", each)) for each in work]
    outcome: Any = await DeferredList(begun, consumeErrors=True)
    results = [value for success, value in outcome if success]
    return results, [value.type for success, value in outcome if not success]


async def _rows(node: Node, columns: str, order: str = "id") -> list[tuple[Any, ...]]:
    return await node.database.fetch(f"select {columns} from message order by {order}")


def _ingest(node: Node) -> Ingest:
    return Ingest(
        node.database,
        composer=Composer("mx.example", LANES.mail_in),
        budget=ByteBudget(1 << 20),
        reactor=reactor,
    )


@pytest_twisted.ensureDeferred
async def test_a_reserved_address_is_the_accounts_alone(node: Node) -> None:
    view = await node.addresses.reserve(ANN, "X+tag@Example.com")
    assert (view.email, view.owner, view.implicit) == ("x@example.com", "ann", False)
    local, _, domain = view.alternate.partition("@")
    assert domain == "example.com"
    assert await find_alternate(node.database, local) == "x@example.com"
    assert await node.addresses.of_account(ANN) == [view]
    assert await node.addresses.of_account(BOB) == []
    assert await node.addresses.get(ANN, "x@example.com") == view
    for other in (BOB, ANYONE):
        with pytest.raises(UnauthenticatedError):
            await node.addresses.get(other, "x@example.com")


@pytest_twisted.ensureDeferred
async def test_an_address_of_nobody_is_shown_to_everybody_with_its_alternate(node: Node) -> None:
    for asker in (ANN, BOB, ANYONE):
        view = await node.addresses.get(asker, "x@example.com")
        assert (view.owner, view.address) == (None, None)
        assert await find_alternate(node.database, view.alternate.partition("@")[0]) == view.email


@pytest.mark.parametrize(
    ("actor", "email", "error"),
    [
        (ANN, "x@example.com", InvalidInputError),
        (ANN, "X@EXAMPLE.COM", InvalidInputError),
        (BOB, "x@example.com", UnauthenticatedError),
        (ANYONE, "x@example.com", UnauthenticatedError),
        (ANYONE, "y@example.com", UnauthenticatedError),
        (Actor(account="gone"), "y@example.com", UnauthenticatedError),
        (BOB, "nobody", BadAddressError),
        (BOB, "inbox-" + "f" * 40 + "@example.com", InvalidInputError),
        (BOB, "*@example.com", InvalidInputError),
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_cannot_be_reserved(
    node: Node, actor: Actor, email: str, error: type[MailsacdError]
) -> None:
    await node.addresses.reserve(ANN, "x@example.com")
    with pytest.raises(error):
        await node.addresses.reserve(actor, email)


@pytest_twisted.ensureDeferred
async def test_the_plan_says_how_many(node: Node) -> None:
    await node.addresses.reserve_all(ANN, [f"a{n}@example.com" for n in range(4)])
    with pytest.raises(InvalidInputError, match=r"credits: 1 left of 5"):
        await node.addresses.reserve_all(ANN, ["b@example.com", "c@example.com"])
    await node.addresses.reserve(ANN, "b@example.com")
    with pytest.raises(InvalidInputError, match="0 left"):
        await node.addresses.reserve(ANN, "c@example.com")
    await node.addresses.release(ANN, "b@example.com", delete_messages=False)
    await node.addresses.reserve(ANN, "c@example.com")


@pytest.mark.parametrize(
    ("emails", "error"),
    [
        ([], InvalidInputError),
        ([f"a{n}@example.com" for n in range(101)], InvalidInputError),
        (["new@example.com", "nobody"], InvalidInputError),
        (["new@example.com", "hers@example.com"], InvalidInputError),
        (["new@example.com", "his@example.com"], UnauthenticatedError),
    ],
)
@pytest_twisted.ensureDeferred
async def test_of_many_all_are_reserved_or_none(
    node: Node, emails: list[str], error: type[MailsacdError]
) -> None:
    await node.addresses.reserve(ANN, "hers@example.com")
    await node.addresses.reserve(BOB, "his@example.com")
    with pytest.raises(error):
        await node.addresses.reserve_all(ANN, emails)
    assert [v.email for v in await node.addresses.of_account(ANN)] == ["hers@example.com"]


@pytest_twisted.ensureDeferred
async def test_many_are_answered_in_the_order_asked_for_each_once(node: Node) -> None:
    asked = ["c@example.com", "A@example.com", "b@example.com", "a+1@example.com"]
    views = await node.addresses.reserve_all(ANN, asked)
    assert [v.email for v in views] == ["c@example.com", "a@example.com", "b@example.com"]


@pytest_twisted.ensureDeferred
async def test_of_several_accounts_at_once_one_gets_the_address(node: Node) -> None:
    names = [f"racer{n}" for n in range(8)]
    await add_accounts(node.database, *names)
    for round_ in range(5):
        email = f"race{round_}@example.com"
        won, lost = await _together(
            *(node.addresses.reserve(Actor(account=name), email) for name in names)
        )
        assert len(won) == 1
        assert lost == [UnauthenticatedError] * 7


@pytest_twisted.ensureDeferred
async def test_bulks_that_overlap_at_once_do_not_lock_each_other_out(node: Node) -> None:
    emails = [f"a{n}@example.com" for n in range(5)]
    won, lost = await _together(
        node.addresses.reserve_all(ANN, emails), node.addresses.reserve_all(BOB, emails[::-1])
    )
    assert (len(won), lost) == (1, [UnauthenticatedError])


@pytest_twisted.ensureDeferred
async def test_an_account_that_asks_twice_at_once_does_not_get_over_its_limit(node: Node) -> None:
    won, _ = await _together(*(node.addresses.reserve(ANN, f"a{n}@example.com") for n in range(12)))
    assert len(won) == 5
    assert len(await node.addresses.of_account(ANN)) == 5


@pytest_twisted.ensureDeferred
async def test_reserving_takes_the_stored_mail_along_but_not_what_another_starred(
    node: Node,
) -> None:
    ingest = _ingest(node)
    for email in ("x@example.com", "y@example.com", "x@example.com"):
        await ingest.deliver(envelope(ingest, SIMPLE, email))
    (first, *_) = [r[0] for r in await _rows(node, "id")]
    await node.database.fetch("update message set saved_by = 'bob' where id = %s", (first,))
    await node.addresses.reserve(ANN, "x@example.com")
    recipients = "x@example.com x@example.com bob x@example.com"
    assert await _rows(node, "inbox, owner, private, subject, sender, recipients") == [
        ("x@example.com", None, False, None, None, None),
        ("y@example.com", None, False, None, None, None),
        ("x@example.com", "ann", True, "hi", "ann ann@example.net", recipients),
    ]


@pytest_twisted.ensureDeferred
async def test_odd_facts_do_not_keep_an_address_from_being_reserved(node: Node) -> None:
    ingest = _ingest(node)
    subject = b"Subject: =?utf-8?q?a=00b?= \\u0000 " + b"long " * 50_000
    await ingest.deliver(envelope(ingest, subject + b"\r\n\r\n", "x@example.com"))
    await node.addresses.reserve(ANN, "x@example.com")
    ((owner, subject_text),) = await _rows(node, "owner, subject")
    assert owner == "ann"
    assert subject_text.startswith("ab \\ufffd long")


@pytest_twisted.ensureDeferred
async def test_released_mail_stays_the_accounts_and_later_mail_is_public(node: Node) -> None:
    ingest = _ingest(node)
    await node.addresses.reserve(ANN, "x@example.com")
    await ingest.deliver(envelope(ingest, SIMPLE, "x@example.com"))
    assert await node.addresses.release(ANN, "X@example.com", delete_messages=False)
    await ingest.deliver(envelope(ingest, SIMPLE, "x@example.com"))
    assert await _rows(node, "owner, private") == [("ann", True), (None, False)]
    assert (await node.addresses.get(BOB, "x@example.com")).owner is None


@pytest_twisted.ensureDeferred
async def test_mail_is_deleted_with_its_address_on_demand(node: Node) -> None:
    ingest = _ingest(node)
    await node.addresses.reserve(ANN, "x@example.com")
    await ingest.deliver(envelope(ingest, SIMPLE, "x@example.com", "y@example.com"))
    await ingest.deliver(envelope(ingest, SIMPLE, "x@example.com"))
    await node.database.fetch("update message set saved_by = 'ann' where inbox like 'x@%'", None)
    await node.addresses.release(ANN, "x@example.com", delete_messages=True)
    assert await _rows(node, "inbox") == [("y@example.com",)]
    assert await node.database.fetch("select refs from raw_message", ()) == [(1,)]


@pytest.mark.parametrize(
    ("actor", "email", "error"),
    [
        (ANN, "y@example.com", InvalidInputError),
        (BOB, "x@example.com", UnauthenticatedError),
        (ANYONE, "x@example.com", UnauthenticatedError),
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_cannot_be_released(
    node: Node, actor: Actor, email: str, error: type[MailsacdError]
) -> None:
    await node.addresses.reserve(ANN, "x@example.com")
    with pytest.raises(error):
        await node.addresses.release(actor, email, delete_messages=True)


@pytest_twisted.ensureDeferred
async def test_settings_are_written_and_cleared_one_by_one(node: Node) -> None:
    await node.addresses.reserve_all(ANN, ["x@example.com", "y@example.com"])
    given = {
        "info": "of the\nbuild",
        "forward": "Y+t@example.com",
        "enablews": True,
        "webhook": "https://hooks.example/a?b=c",
        "webhookSlack": "http://slack.example:8080/",
        "webhookSlackToFrom": False,
        "password": "s3cret",
    }
    view = await node.addresses.change(ANN, "x@example.com", checked_settings(**given))
    assert view.address is not None
    assert (view.address.info, view.address.forward) == ("of the\nbuild", "y@example.com")
    assert (view.address.enablews, view.address.webhook_slack_to_from) == (True, False)
    hashed = await find_address_login(node.database, "x@example.com")
    assert hashed is not None
    assert hashed.password_hash is not None
    assert hashed.password_hash.startswith("$argon2id$")

    view = await node.addresses.change(ANN, "x@example.com", checked_settings(info=""))
    assert view.address is not None
    assert (view.address.info, view.address.webhook) == (None, "https://hooks.example/a?b=c")
    assert view.address.has_password

    nothing = dict.fromkeys(given, "")
    view = await node.addresses.change(ANN, "x@example.com", checked_settings(**nothing))
    address = view.address
    assert address is not None
    assert (address.forward, address.webhook, address.webhook_slack) == (None, None, None)
    assert (address.enablews, address.webhook_slack_to_from) == (False, True)
    assert not address.has_password


@pytest.mark.parametrize(
    ("actor", "email", "error"),
    [
        (BOB, "x@example.com", UnauthenticatedError),
        (ANN, "y@example.com", NotFoundError),
        (ANYONE, "x@example.com", UnauthenticatedError),
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_cannot_be_changed(
    node: Node, actor: Actor, email: str, error: type[MailsacdError]
) -> None:
    await node.addresses.reserve(ANN, "x@example.com")
    with pytest.raises(error):
        await node.addresses.change(actor, email, checked_settings(info="a"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("info", "x" * 2001),
        ("forward", "nobody"),
        ("webhook", "ftp://hooks.example/"),
        ("webhook", "hooks.example"),
        ("webhook", "https://"),
        ("webhook", "https://hooks.example:port/"),
        ("webhook", "https://user:word@hooks.example/"),
        ("webhook", "https://hooks.example/ space"),
        ("webhook", "https://hooks..example/"),
        ("webhook", "https://[::1/"),
        ("webhook", "https://hooks.example/" + "x" * 2000),
        ("webhookSlack", "javascript:alert(1)"),
        ("password", "x" * 257),
    ],
)
def test_a_bad_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        checked_settings(**{name: value})
    assert [fault.field for fault in caught.value.faults] == [name]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080/x", "https://[2001:db8::1]/", "https://b.example/%41?a=b#c"]
)
def test_a_good_url_stays_as_it_is(url: str) -> None:
    assert checked_settings(webhook=url).webhook == url


async def _chain(node: Node, *links: str) -> None:
    """``a>b`` sets the forward of a@… to b@…"""
    for link in links:
        source, _, target = link.partition(">")
        settings = checked_settings(forward=f"{target}@example.com")
        await node.addresses.change(ANN, f"{source}@example.com", settings)


@pytest.mark.parametrize(
    ("links", "problem"),
    [
        (["a>a"], "loop"),
        (["a>b", "b>a"], "loop"),
        (["a>b", "b>c", "c>a"], "loop"),
        (["a>b", "c>d", "d>a", "b>c"], "loop"),
        (["a>z"], "owns"),
        (["a>hers"], "owns"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_forward_that_must_not_be(node: Node, links: list[str], problem: str) -> None:
    await node.addresses.reserve_all(ANN, [f"{n}@example.com" for n in "abcd"])
    await node.addresses.reserve(BOB, "hers@example.com")
    *first, last = links
    await _chain(node, *first)
    with pytest.raises(InvalidInputError, match=problem) as caught:
        await _chain(node, last)
    assert [fault.field for fault in caught.value.faults] == ["forward"]


@pytest_twisted.ensureDeferred
async def test_two_forwards_written_at_once_make_no_loop(node: Node) -> None:
    await node.addresses.reserve_all(ANN, ["a@example.com", "b@example.com"])
    _, lost = await _together(_chain(node, "a>b"), _chain(node, "b>a"))
    assert lost == [InvalidInputError]


@pytest_twisted.ensureDeferred
async def test_a_long_chain_of_forwards_is_refused(node: Node) -> None:
    emails = [f"f{n}@example.com" for n in range(12)]
    await node.database.fetch("update account set overrides = '{\"private_addresses\": 20}'", ())
    await node.addresses.reserve_all(ANN, emails)
    links = [f"f{n}>f{n + 1}" for n in range(11)]
    for link in links[:0:-1][:9]:
        await _chain(node, link)
    with pytest.raises(InvalidInputError, match="chain of more than 10"):
        await _chain(node, "f1>f2")


@pytest_twisted.ensureDeferred
async def test_a_forward_to_a_released_address_ends_with_it(node: Node) -> None:
    await node.addresses.reserve_all(ANN, ["a@example.com", "b@example.com"])
    await _chain(node, "a>b")
    await node.addresses.release(ANN, "b@example.com", delete_messages=False)
    (view,) = await node.addresses.of_account(ANN)
    assert view.address is not None
    assert view.address.forward is None


@pytest_twisted.ensureDeferred
async def test_availability_tells_whether_but_not_who(node: Node) -> None:
    await node.addresses.reserve(ANN, "x@example.com")
    for asker in (ANN, BOB, ANYONE):
        found = await node.addresses.availability(asker, "X@example.com")
        assert (found.email, found.available, found.owned) == ("x@example.com", False, True)
        found = await node.addresses.availability(asker, "y@example.com")
        assert (found.available, found.owned) == (True, False)


@pytest_twisted.ensureDeferred
async def test_settings_given_while_reserving_are_written_or_nothing_is(node: Node) -> None:
    settings = checked_settings(info="mine", enablews=True)
    view = await node.addresses.reserve(ANN, "x@example.com", settings)
    assert view.address is not None
    assert view.address.info == "mine"
    with pytest.raises(InvalidInputError):
        await node.addresses.reserve(
            ANN, "y@example.com", checked_settings(forward="not-mine@example.com")
        )
    assert [v.email for v in await node.addresses.of_account(ANN)] == ["x@example.com"]
