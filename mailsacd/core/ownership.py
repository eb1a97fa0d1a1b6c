"""What accounts own: private addresses and domains; and who holds an inbox."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from mailsacd.core.load_test import LoadTestRun

CATCH_ALL_LOCAL: Final = "*"
"""The local part of a domain's catch-all: ``*@example.com``."""

MAX_FORWARDS: Final = 10
"""Of so many addresses may a chain of forwards consist, the first and the last one included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateAddress:
    """An address that an account reserved, with what is to happen to its mail.

    ``catch_all`` is only ever set for ``*@domain``: whether mail for addresses of the domain that
    nobody reserved comes here. ``transcript`` tells whether what is said about its mail on the wire
    is kept. Of the password it is only known whether there is one.
    """

    email: str
    domain: str
    owner: str
    info: str | None
    forward: str | None
    enablews: bool
    webhook: str | None
    webhook_slack: str | None
    webhook_slack_to_from: bool
    transcript: bool
    has_password: bool
    catch_all: bool
    created: datetime
    updated: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """An account's claim to a domain.

    ``hosted`` is a subdomain of the operator's hosting domain. ``verified`` tells that the claim
    is proved, ``verified_mx`` that its mail comes here; ``errors`` is what the last look at its
    DNS missed, and ``found`` what it saw of other records. ``missing_since`` is when the proof of a
    verified claim was first seen to be gone.
    """

    name: str
    owner: str
    created: datetime
    updated: datetime
    enablews: bool
    hosted: bool
    is_default: bool
    is_private: bool
    verified: bool
    verified_mx: bool
    verification_txt: str
    errors: tuple[str, ...]
    found: Mapping[str, Any]
    checked: datetime | None
    missing_since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainFacts:
    """What deciding about mail needs to know of a domain of which somebody owns something.

    ``claimed`` tells that an account has added it; there may be reserved addresses of others too.
    ``owner`` is who has proved a claim, None while nobody has; the rest is false then.
    ``catch_all`` tells that the owner has switched on ``*@domain``, ``forwards`` that mail for
    some reserved address of the domain goes on to another, ``hooks`` that some has a webhook or
    Slack, ``transcripts`` that of some what is said on the wire is kept. ``load_test`` is the test
    under way, of the owner's. ``run_ends_ms`` is when the run ends whose domain it is (milliseconds
    since the epoch), None for any other domain.
    """

    owner: str | None
    claimed: bool
    is_private: bool
    catch_all: bool
    enablews: bool
    forwards: bool
    hooks: bool
    transcripts: bool = False
    load_test: LoadTestRun | None = None
    run_ends_ms: int | None = None


@dataclass(frozen=True, slots=True)
class AddressFacts:
    """What deciding about mail needs to know of a reserved address.

    ``forward`` is where its mail goes on to (a normal address), None when it stays; ``transcript``
    tells whether what is said about its mail is kept.
    """

    owner: str
    forward: str | None
    transcript: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """Who holds an inbox: nobody (``owner`` None) for a public one.

    ``implicit`` tells that the owner has not reserved the address, but owns its private domain.
    """

    owner: str | None
    implicit: bool


PUBLIC: Final = Holding(owner=None, implicit=False)
