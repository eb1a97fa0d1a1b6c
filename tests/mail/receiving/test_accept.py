"""RCPT: which recipients are taken, and where their mail goes."""

from typing import Any

import pytest
import pytest_twisted

from mailsacd.core.address import alternate_local, inbox_of, parse_address
from mailsacd.core.cache import UNKNOWN
from mailsacd.core.envelope import Recipient
from mailsacd.core.errors import BadAddressError, ConfigurationError, ForbiddenError
from mailsacd.mail.receiving.accept import RecipientPolicy
from mailsacd.store.alternates import remember_alternate, server_secret
from tests.mail.property import ANN, BOB, Node

UNKNOWN_ALTERNATE = "inbox-" + "f" * 40


def _accept(node: Node, *domains: str, hosting: str = "") -> RecipientPolicy:
    return RecipientPolicy(node.database, node.directory, domains or ["*"], hosting)


async def _answer(accept: RecipientPolicy, path: str) -> Recipient:
    answer: Any = accept.recipient(path)
    return answer if isinstance(answer, Recipient) else await answer


def _at_once(accept: RecipientPolicy, path: str) -> Recipient:
    answer = accept.recipient(path)
    assert isinstance(answer, Recipient)
    return answer


async def _inbox(accept: RecipientPolicy, path: str) -> str:
    return (await _answer(accept, path)).inbox


@pytest_twisted.ensureDeferred
async def test_the_tag_decides_no_inbox_but_is_kept(node: Node) -> None:
    assert await _answer(_accept(node), "Jeff+News@Example.com") == Recipient(
        original_inbox="jeff+news@example.com", inbox="jeff@example.com", domain="example.com"
    )


@pytest.mark.parametrize(
    ("listed", "path", "taken"),
    [
        (["*"], "a@anything.example", True),
        (["Example.com"], "a@EXAMPLE.com", True),
        (["example.com"], "a@sub.example.com", False),
        (["*.example.com"], "a@sub.example.com", True),
        (["*.example.com"], "a@deep.sub.example.com", True),
        (["*.example.com"], "a@example.com", False),
        (["*.example.com"], "a@notexample.com", False),
        (["bücher.example"], "a@xn--bcher-kva.example", True),
        (["other.example"], "a@example.com", False),
        (["@registered"], "a@team.host.example", True),
        (["@registered"], "a@added.example", True),
        (["@registered"], "a@other.example", False),
        (["@registered"], "a@reserved.example", False),
        (["@registered"], "a@host.example", True),
        (["@registered"], "a@nobodys.host.example", True),
        (["@registered", "other.example"], "a@other.example", True),
        (["@registered"], f"{UNKNOWN_ALTERNATE}@other.example", False),
        (["@registered"], f"{UNKNOWN_ALTERNATE}@added.example", True),
    ],
)
@pytest_twisted.ensureDeferred
async def test_only_accepted_domains_are_taken(
    node: Node, listed: list[str], path: str, *, taken: bool
) -> None:
    await node.domains.add(ANN, "team.host.example")
    await node.domains.add(ANN, "added.example")
    await node.addresses.reserve(ANN, "x@reserved.example")
    accept = _accept(node, *listed, hosting="host.example")
    for _ in range(2):  # the second time from memory
        if taken:
            await _answer(accept, path)
        else:
            with pytest.raises(ForbiddenError):
                await _answer(accept, path)


@pytest_twisted.ensureDeferred
async def test_a_domain_that_is_known_is_answered_at_once(node: Node) -> None:
    await node.domains.add(ANN, "team.host.example")
    accept = _accept(node)
    for domain in ("example.com", "team.host.example"):
        for _ in range(1000):  # once the notice of the change has come
            await _answer(accept, f"first@{domain}")
            if node.directory.known_domain(domain) is not UNKNOWN:
                break
        assert _at_once(accept, f"second@{domain}").inbox == f"second@{domain}"


def test_a_bad_entry_in_the_settings_is_named(node: Node) -> None:
    with pytest.raises(ConfigurationError, match=r"message\.accepted_domains"):
        _accept(node, "no domain")


def test_what_is_no_address_is_refused(node: Node) -> None:
    with pytest.raises(BadAddressError):
        _accept(node).recipient("nobody")


@pytest_twisted.ensureDeferred
async def test_an_alternate_delivers_to_what_it_stands_for_at_any_domain(node: Node) -> None:
    accept = _accept(node)
    jeff = parse_address("jeff@example.com")
    local = alternate_local(await server_secret(node.database), jeff)
    await remember_alternate(node.database, local, str(jeff))
    assert await _answer(accept, f"{local}@Other.example") == Recipient(
        original_inbox=f"{local}@other.example", inbox="jeff@example.com", domain="example.com"
    )
    assert await _inbox(accept, f"{local}@third.example") == "jeff@example.com"
    assert await _inbox(accept, f"{local}+tag@third.example") == "jeff@example.com"


@pytest_twisted.ensureDeferred
async def test_an_alternate_of_nobody_is_an_inbox_like_any_other(node: Node) -> None:
    path = f"{UNKNOWN_ALTERNATE}@example.com"
    assert await _inbox(_accept(node), path) == path
    assert await _inbox(_accept(node), f"{UNKNOWN_ALTERNATE}+tag@example.com") == path


@pytest_twisted.ensureDeferred
async def test_a_catch_all_takes_what_nobody_reserved(node: Node) -> None:
    await node.domains.add(ANN, "team.host.example")
    accept = _accept(node)
    assert await _inbox(accept, "any@team.host.example") == "any@team.host.example"
    view = await node.addresses.reserve(ANN, "*@team.host.example")
    await node.addresses.reserve(ANN, "known@team.host.example")
    for path, inbox in (
        ("any@team.host.example", "*@team.host.example"),
        ("any+tag@team.host.example", "*@team.host.example"),
        ("known@team.host.example", "known@team.host.example"),
        ("known+tag@team.host.example", "known@team.host.example"),
        ("*@team.host.example", "*@team.host.example"),
        (f"{UNKNOWN_ALTERNATE}@team.host.example", "*@team.host.example"),
        (view.alternate, "*@team.host.example"),
        ("any@other.host.example", "any@other.host.example"),
    ):
        assert await _inbox(accept, path) == inbox, path
    assert (await _answer(accept, "Any+t@team.host.example")).original_inbox == (
        "any+t@team.host.example"
    )


@pytest_twisted.ensureDeferred
async def test_a_catch_all_that_is_switched_off_or_released_takes_nothing(node: Node) -> None:
    await node.domains.add(ANN, "team.host.example")
    accept = _accept(node)
    for off in (
        lambda: node.domains.change(ANN, "team.host.example", catch_all=False),
        lambda: node.addresses.release(ANN, "*@team.host.example", delete_messages=False),
        lambda: node.domains.remove(ANN, "team.host.example"),
    ):
        await node.domains.change(ANN, "team.host.example", catch_all=True)
        assert await _inbox(accept, "any@team.host.example") == "*@team.host.example"
        await off()
        assert await _inbox(accept, "any@team.host.example") == "any@team.host.example"


@pytest_twisted.ensureDeferred
async def test_the_catch_all_of_a_domain_that_is_not_verified_is_not_to_be_had(node: Node) -> None:
    await node.domains.add(ANN, "unproved.example")
    for name in ("unproved.example", "team.host.example"):
        with pytest.raises(Exception, match="catch-all needs a verified domain"):
            await node.addresses.reserve(ANN, f"*@{name}")
    await node.domains.add(BOB, "team.host.example")
    with pytest.raises(Exception, match="owned by another account"):
        await node.addresses.reserve(ANN, "*@team.host.example")


def test_a_reader_of_a_tagged_address_reads_the_inbox_that_it_is_delivered_to() -> None:
    assert str(inbox_of("Jeff+x@Example.com")) == "jeff@example.com"
    assert str(inbox_of(f"{UNKNOWN_ALTERNATE}@example.com")).startswith(UNKNOWN_ALTERNATE)
