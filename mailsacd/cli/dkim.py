"""`mailsacd dkim`: the keys that outgoing mail is signed with."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import click

from mailsacd.cli.command import Common, command
from mailsacd.core.dkim import DkimKey
from mailsacd.core.errors import NotFoundError
from mailsacd.core.token import iso_time
from mailsacd.data import Data, hostname_of
from mailsacd.mail.ownership.domain_keys import DomainKeys
from mailsacd.mail.ownership.domain_rules import operators_domains, rules_of
from mailsacd.mail.ownership.domains import normal_name
from mailsacd.outbound.dns import Resolver
from mailsacd.settings import Settings
from mailsacd.store.domains import proved_claim

_PIECE_CHARACTERS: Final = 255  # of a string in a TXT record (RFC 1035 section 3.3)
_STATES: Final = {
    "waiting": "signs when the DNS has it",
    "active": "signs",
    "retired": "signed before: leave its record until it is no longer shown",
}

Keys = Mapping[str, Sequence[DkimKey]]


@click.group()
def dkim() -> None:
    """Show and change the keys that mail is signed with."""


@dkim.command()
@click.argument("domain", required=False)
@command
def show(common: Common, domain: str | None) -> None:
    """Look for the DNS records of the keys of DOMAIN, and show them.

    Without DOMAIN: of all domains of the server's own.
    """

    async def look(keys: DomainKeys, name: str, owner: str | None) -> Sequence[DkimKey]:
        await keys.look(name, owner)
        return await keys.of_domain(name, owner)

    _show(common, domain, look)


@dkim.command()
@click.argument("domain", required=False)
@command
def rotate(common: Common, domain: str | None) -> None:
    """Make new keys for DOMAIN, or its first, and show the records to publish.

    Without DOMAIN: for all domains of the server's own.
    """
    _show(common, domain, lambda keys, name, owner: keys.change(name, owner))


@dkim.command()
@click.argument("domain", required=False)
@command
def activate(common: Common, domain: str | None) -> None:
    """Have the newest keys of DOMAIN sign from now on, whatever the DNS says here.

    Without DOMAIN: those of all domains of the server's own.
    """
    _show(common, domain, lambda keys, name, owner: keys.activate(name, owner))


def _show(
    common: Common,
    domain: str | None,
    change: Callable[[DomainKeys, str, str | None], Awaitable[Sequence[DkimKey]]],
) -> None:
    async def work(data: Data, settings: Settings) -> Keys:
        lent = rules_of(settings.domains, hostname_of(settings)).hosting
        resolver = Resolver(settings.dns, data.reactor)
        keys = DomainKeys(data.database, resolver, data.lanes.keys, lent=lent, clock=data.reactor)
        chosen = await _chosen(data, settings, domain)
        return {name: await change(keys, name, owner) for name, owner in chosen.items()}

    shown = common.run(work)
    common.show({name: [_json(key) for key in keys] for name, keys in shown.items()}, _text(shown))


async def _chosen(data: Data, settings: Settings, domain: str | None) -> dict[str, str | None]:
    """Which domains are meant, each with the account that has proved it; None: the server's own."""
    own = operators_domains(settings, hostname_of(settings))
    if domain is None:
        if not own:
            raise NotFoundError("The server has no domain: is server.hostname a name with a dot?")
        return dict.fromkeys(own)
    name = normal_name(domain)
    claim = await proved_claim(data.database, name)
    if claim is not None and name not in own:
        return {name: claim.owner}
    if name in own:
        return {name: None}
    raise NotFoundError(f"{name} is no domain of the server's, nor a verified one of an account")


def _text(shown: Keys) -> str:
    return "\n".join(line for name, keys in shown.items() for line in _lines(name, keys))


def _lines(name: str, keys: Sequence[DkimKey]) -> list[str]:
    if not keys:
        return [f"{name}: no keys, its mail is not signed. `mailsacd dkim rotate` makes some"]
    lines = []
    for key in keys:
        found = "found" if key.published else "to be published"
        lines += [f"; {key.algorithm}: {_STATES[key.state]} ({found})", _zone_line(key)]
    return lines


def _zone_line(key: DkimKey) -> str:
    """The record as it stands in a zone file: a string holds 255 characters at most."""
    text = key.record_text
    pieces = [text[at : at + _PIECE_CHARACTERS] for at in range(0, len(text), _PIECE_CHARACTERS)]
    return f"{key.record_name}. TXT " + " ".join(f'"{piece}"' for piece in pieces)


def _json(key: DkimKey) -> dict[str, Any]:
    return {
        "selector": key.selector,
        "algorithm": key.algorithm,
        "state": key.state,
        "name": key.record_name,
        "type": "TXT",
        "value": key.record_text,
        "published": key.published,
        "created": iso_time(key.created),
        "activeSince": key.active_since and iso_time(key.active_since),
        "retired": key.retired and iso_time(key.retired),
    }
