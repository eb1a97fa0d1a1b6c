"""Forwards: where mail goes on to, what it passes, and that no loop or long chain loses it."""

from typing import Any

import pytest
import pytest_twisted
from msgspec.structs import replace
from twisted.internet import reactor as the_reactor

from mailsacd.core.activity import REFUSED
from mailsacd.core.actor import Actor
from mailsacd.core.address import alternate_local, parse_address
from mailsacd.core.budget import ByteBudget
from mailsacd.core.cache import UNKNOWN
from mailsacd.core.envelope import Recipient
from mailsacd.core.errors import InvalidInputError
from mailsacd.core.ownership import MAX_FORWARDS
from mailsacd.mail.ownership.address_settings import checked_settings
from mailsacd.mail.receiving.accept import RecipientPolicy
from mailsacd.mail.receiving.compose import Composer
from mailsacd.mail.receiving.forwarding import Forwarding
from mailsacd.mail.receiving.ingest import Ingest
from mailsacd.mail.records.activity import Activity
from mailsacd.store.alternates import server_secret
from tests.lanes import LANES
from tests.mail.envelopes import envelope
from tests.mail.property import ANN, BOB, Node

reactor: Any = the_reactor

HOSTED = "team.host.example"


async def _reserve(node: Node, *names: str, actor: Actor = ANN) -> None:
    await node.database.fetch("update account set overrides = '{\"private_addresses\": 50}'", ())
    await node.addresses.reserve_all(actor, [_email(name) for name in names])


def _email(name: str) -> str:
    return name if "@" in name else f"{name}@example.com"


async def _link(node: Node, *links: str, actor: Actor = ANN) -> None:
    """``a>b`` sets the forward of a@example.com to b@example.com."""
    for link in links:
        source, _, target = link.partition(">")
        settings = checked_settings(forward=_email(target))
        await node.addresses.change(actor, _email(source), settings)


async def _behind_its_back(node: Node, *links: str) -> None:
    """As `_link`, whatever the rules say: what a race or an older version may leave."""
    for link in links:
        source, _, target = link.partition(">")
        await node.database.fetch(
            "update address set forward = %s where email = %s", (_email(target), _email(source))
        )
    node.directory.forget_all()


async def _answer(node: Node, path: str, activity: Activity | None = None) -> Recipient:
    answer: Any = RecipientPolicy(
        node.database, node.directory, ["*"], forwarding=Forwarding(node.directory, activity)
    ).recipient(path)
    return answer if isinstance(answer, Recipient) else await answer


async def _way(node: Node, path: str, activity: Activity | None = None) -> list[str]:
    """The inboxes that mail passes, and where it stays; those of example.com by local part."""
    found = await _answer(node, _email(path), activity)
    return [inbox.removesuffix("@example.com") for inbox in (*found.passed, found.inbox)]


@pytest_twisted.ensureDeferred
async def test_mail_moves_along_the_chain_and_keeps_the_address_as_mailed(node: Node) -> None:
    await _reserve(node, "a", "b", "c")
    await _link(node, "a>b", "b>c")
    for _ in range(2):  # the second time from memory
        assert await _answer(node, "A+tag@Example.com") == Recipient(
            original_inbox="a+tag@example.com",
            inbox="c@example.com",
            domain="example.com",
            passed=("a@example.com", "b@example.com"),
            forwarder="ann",
        )
    assert await _way(node, "b") == ["b", "c"]
    assert await _way(node, "c") == ["c"]
    assert await _way(node, "other") == ["other"]


@pytest_twisted.ensureDeferred
async def test_an_alternate_s_mail_goes_on_too(node: Node) -> None:
    await _reserve(node, "a", "b")
    await _link(node, "a>b")
    secret = await server_secret(node.database)
    local = alternate_local(secret, parse_address("a@example.com"))
    found = await _answer(node, f"{local}@any.example")
    assert (found.inbox, found.passed) == ("b@example.com", ("a@example.com",))


@pytest_twisted.ensureDeferred
async def test_a_catch_all_takes_mail_before_and_after_a_forward(node: Node) -> None:
    await node.domains.add(ANN, HOSTED)
    await _reserve(node, "a", "b")
    await node.domains.change(ANN, HOSTED, catch_all=True)
    await _link(node, f"a>any@{HOSTED}")
    assert await _way(node, "a") == ["a", f"*@{HOSTED}"]
    await _link(node, f"*@{HOSTED}>b")
    assert await _way(node, "a") == ["a", f"*@{HOSTED}", "b"]
    found = await _answer(node, f"new@{HOSTED}")
    assert (found.original_inbox, found.inbox) == (f"new@{HOSTED}", "b@example.com")
    await node.domains.change(ANN, HOSTED, catch_all=False)
    assert await _way(node, "a") == ["a", f"any@{HOSTED}"]


@pytest_twisted.ensureDeferred
async def test_what_nobody_forwards_of_a_domain_is_answered_at_once(node: Node) -> None:
    await _reserve(node, "a", "b", "x@quiet.example")
    await _link(node, "a>b")
    accept = RecipientPolicy(node.database, node.directory, ["*"])
    for domain in ("quiet.example", "nobodys.example"):
        for _ in range(1000):  # once the notice of the change has come
            await _answer(node, f"x@{domain}")
            if node.directory.known_domain(domain) is not UNKNOWN:
                break
        assert isinstance(accept.recipient(f"x@{domain}"), Recipient)


@pytest.mark.parametrize(
    ("links", "mailed", "way"),
    [
        (["a>a"], "a", ["a"]),
        (["a>b", "b>a"], "a", ["a"]),
        (["a>b", "b>a"], "b", ["b"]),
        (["a>b", "b>c", "c>b"], "a", ["a", "b"]),
        (["a>b", "b>c", "c>d", "d>b"], "a", ["a", "b"]),
    ],
)
@pytest_twisted.ensureDeferred
async def test_mail_stays_where_a_loop_begins(
    node: Node, links: list[str], mailed: str, way: list[str]
) -> None:
    await _reserve(node, "a", "b", "c", "d")
    await _behind_its_back(node, *links)
    activity = Activity(node.database, reactor=reactor)
    assert await _way(node, mailed, activity) == way
    (event,) = await activity.list(ANN, since_ms=None, until_ms=None, limit=10, skip=0)
    assert (event.kind, event.subject) == (REFUSED, _email(mailed))
    assert event.detail.startswith("the chain of forwards is a loop: ")
    await activity.finish()


@pytest_twisted.ensureDeferred
async def test_a_chain_is_followed_so_far_and_no_further(node: Node) -> None:
    names = [f"f{n}" for n in range(MAX_FORWARDS + 2)]
    await _reserve(node, *names)
    await _behind_its_back(node, *(f"f{n}>f{n + 1}" for n in range(MAX_FORWARDS + 1)))
    assert await _way(node, "f0") == names[:MAX_FORWARDS]
    assert await _way(node, "f2") == names[2:]


@pytest_twisted.ensureDeferred
async def test_no_mail_goes_on_to_what_another_account_owns(node: Node) -> None:
    await node.domains.add(BOB, "bobs.host.example")
    await _reserve(node, "a", "b")
    await _reserve(node, "hers", actor=BOB)
    for target in ("hers", "any@bobs.host.example", "public"):
        await _behind_its_back(node, "a>b", f"b>{target}")
        assert await _way(node, "a") == ["a", "b"]


@pytest_twisted.ensureDeferred
async def test_a_target_that_is_given_up_gets_no_mail_any_more(node: Node) -> None:
    await node.domains.add(ANN, HOSTED)
    await _reserve(node, "a", "b", f"own@{HOSTED}")
    for target in ("b", f"own@{HOSTED}"):
        await _link(node, f"a>{target}")
        assert await _way(node, "a") == ["a", target]
        await node.addresses.release(ANN, _email(target), delete_messages=False)
        assert await _way(node, "a") == ["a"]


@pytest_twisted.ensureDeferred
async def test_a_target_at_a_domain_of_the_account_need_not_be_reserved(node: Node) -> None:
    await node.domains.add(ANN, HOSTED)
    await _reserve(node, "a")
    await _link(node, f"a>any@{HOSTED}")
    assert await _way(node, "a") == ["a", f"any@{HOSTED}"]
    await node.domains.remove(ANN, HOSTED)
    assert await _way(node, "a") == ["a"]


@pytest.mark.parametrize("last", range(MAX_FORWARDS))
@pytest_twisted.ensureDeferred
async def test_a_chain_that_grows_too_long_is_refused_wherever_it_is_closed(
    node: Node, last: int
) -> None:
    await _reserve(node, *(f"f{n}" for n in range(MAX_FORWARDS + 1)))
    links = [f"f{n}>f{n + 1}" for n in range(MAX_FORWARDS)]
    closing = links.pop(last)
    await _link(node, *links)
    with pytest.raises(InvalidInputError, match="chain of more than 10"):
        await _link(node, closing)


@pytest_twisted.ensureDeferred
async def test_a_chain_through_a_catch_all_counts_too(node: Node) -> None:
    await node.domains.add(ANN, HOSTED)
    await node.domains.change(ANN, HOSTED, catch_all=True)
    await _reserve(node, *(f"f{n}" for n in range(MAX_FORWARDS)))
    before = [f"f{n}>f{n + 1}" for n in range(4)]
    after = [f"f{n}>f{n + 1}" for n in range(5, MAX_FORWARDS - 1)]
    await _link(node, *before, *after, f"f4>any@{HOSTED}")
    with pytest.raises(InvalidInputError, match="chain of more than 10"):
        await _link(node, f"*@{HOSTED}>f5")
    await _link(node, f"*@{HOSTED}>f6")
    assert len(await _way(node, "f0")) == MAX_FORWARDS


@pytest_twisted.ensureDeferred
async def test_switching_a_catch_all_on_closes_no_loop(node: Node) -> None:
    await node.domains.add(ANN, HOSTED)
    await node.domains.change(ANN, HOSTED, catch_all=True)
    await node.domains.change(ANN, HOSTED, catch_all=False)
    await _reserve(node, "a")
    for links in ([f"*@{HOSTED}>any@{HOSTED}"], [f"a>any@{HOSTED}", f"*@{HOSTED}>a"]):
        await _link(node, *links)
        with pytest.raises(InvalidInputError, match="loop"):
            await node.domains.change(ANN, HOSTED, catch_all=True)
        assert (await _answer(node, f"x@{HOSTED}")).inbox == f"x@{HOSTED}"


def test_nothing_is_forwarded_to_an_alternate() -> None:
    with pytest.raises(InvalidInputError, match="stands for another"):
        checked_settings(forward=f"inbox-{'a' * 40}@example.com")


@pytest.mark.parametrize("taken_over", [False, True])
@pytest_twisted.ensureDeferred
async def test_mail_on_its_way_to_a_target_that_is_given_up_stays_with_its_account(
    node: Node, taken_over: bool
) -> None:
    await _reserve(node, "a@one.example", "b@two.example")
    await _link(node, "a@one.example>b@two.example")
    answered = await _answer(node, "a@one.example")
    await node.addresses.release(ANN, "b@two.example", delete_messages=False)
    if taken_over:
        await _reserve(node, "b@two.example", actor=BOB)
    await node.directory.domain("two.example")  # nobody's, as far as is known
    ingest = Ingest(
        node.database,
        composer=Composer("mx.example", LANES.mail_in),
        budget=ByteBudget(1 << 20),
        reactor=reactor,
        ownership=node.directory,
    )
    mail = replace(envelope(ingest, b"Subject: x\r\n\r\n"), recipients=(answered,))
    await ingest.deliver(mail)
    rows = await node.database.fetch("select inbox, owner, private from message")
    assert rows == [("b@two.example", "ann", True)]
