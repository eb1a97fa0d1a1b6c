"""RCPT: which recipients are taken, and where their mail goes."""

from collections.abc import Awaitable
from typing import cast

import pytest
import pytest_twisted

from mailsacd.core.address import alternate_local, parse_address
from mailsacd.core.envelope import Recipient
from mailsacd.core.errors import BadAddressError, ConfigurationError, ForbiddenError
from mailsacd.mail.accept import Accept, inbox_of
from mailsacd.store.alternates import remember_alternate, server_secret
from mailsacd.store.pool import Database

UNKNOWN_ALTERNATE = "inbox-" + "f" * 40


def _at_once(accept: Accept, path: str) -> Recipient:
    answer = accept.recipient(path)
    assert isinstance(answer, Recipient)
    return answer


def test_the_tag_decides_no_inbox_but_is_kept(database: Database) -> None:
    assert _at_once(Accept(database, ["*"]), "Jeff+News@Example.com") == Recipient(
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
        ([], "a@example.com", False),
    ],
)
def test_only_accepted_domains_are_taken(
    database: Database, listed: list[str], path: str, *, taken: bool
) -> None:
    accept = Accept(database, listed)
    if taken:
        _at_once(accept, path)
    else:
        with pytest.raises(ForbiddenError):
            accept.recipient(path)


def test_a_bad_entry_in_the_settings_is_named(database: Database) -> None:
    with pytest.raises(ConfigurationError, match=r"message\.accepted_domains"):
        Accept(database, ["no domain"])


def test_what_is_no_address_is_refused(database: Database) -> None:
    with pytest.raises(BadAddressError):
        Accept(database, ["*"]).recipient("nobody")


@pytest_twisted.ensureDeferred
async def test_an_alternate_delivers_to_what_it_stands_for_at_any_domain(
    database: Database,
) -> None:
    accept = Accept(database, ["*"])
    jeff = parse_address("jeff@example.com")
    local = alternate_local(await server_secret(database), jeff)
    await remember_alternate(database, local, str(jeff))
    found = await cast("Awaitable[Recipient]", accept.recipient(f"{local}@Other.example"))
    assert found == Recipient(
        original_inbox=f"{local}@other.example", inbox="jeff@example.com", domain="example.com"
    )
    assert _at_once(accept, f"{local}@third.example").inbox == "jeff@example.com"


@pytest_twisted.ensureDeferred
async def test_an_alternate_of_nobody_is_an_inbox_like_any_other(database: Database) -> None:
    path = f"{UNKNOWN_ALTERNATE}@example.com"
    accept = Accept(database, ["*"])
    assert (await cast("Awaitable[Recipient]", accept.recipient(path))).inbox == path


def test_a_reader_of_a_tagged_address_reads_the_inbox_that_it_is_delivered_to() -> None:
    assert str(inbox_of("Jeff+x@Example.com")) == "jeff@example.com"
    assert str(inbox_of(f"{UNKNOWN_ALTERNATE}@example.com")).startswith(UNKNOWN_ALTERNATE)
