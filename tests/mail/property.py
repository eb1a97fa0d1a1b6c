"""What tests of ownership stand on: accounts, and the objects that decide."""

from dataclasses import dataclass
from typing import Any

from mailsacd.core.actor import Actor
from mailsacd.core.dns import Dns
from mailsacd.mail.accounts.passwords import Passwords
from mailsacd.mail.accounts.plans import Plans
from mailsacd.mail.ownership.addresses import Addresses
from mailsacd.mail.ownership.alternates import Alternates
from mailsacd.mail.ownership.directory import Directory
from mailsacd.mail.ownership.domain_keys import DomainKeys
from mailsacd.mail.ownership.domain_records import DomainRecords
from mailsacd.mail.ownership.domain_rules import DomainRules
from mailsacd.mail.ownership.domains import Domains
from mailsacd.plan_settings import PlanSettings
from mailsacd.store.accounts import add_account
from mailsacd.store.notices import Notices
from mailsacd.store.pool import Database
from tests.lanes import LANES

ANN = Actor(account="ann")
BOB = Actor(account="bob")

RULES = DomainRules(
    hosting="host.example",
    mail_hosts=("mx.host.example",),
    recheck_s=86_400,
    unverified_days=90,
)
PLANS = Plans({"free": PlanSettings(private_addresses=5, domains=2)}, "free")


@dataclass(frozen=True)
class Node:
    """One daemon's view of who owns what."""

    database: Database
    notices: Notices
    directory: Directory
    addresses: Addresses
    domains: Domains
    keys: DomainKeys


def make_node(database: Database, notices: Notices, dns: Dns, reactor: Any) -> Node:
    """The objects, on ``notices`` that are not started yet."""
    directory = Directory(database, notices)
    addresses = Addresses(
        database,
        directory,
        PLANS,
        Passwords(LANES.passwords),
        Alternates(database, reactor=reactor),
    )
    keys = DomainKeys(database, dns, LANES.keys, lent=RULES.hosting, clock=reactor)
    domains = Domains(database, addresses, directory, PLANS, DomainRecords(dns, RULES, keys))
    return Node(database, notices, directory, addresses, domains, keys)


async def add_accounts(database: Database, *names: str) -> None:
    """Accounts that nobody can sign in to."""
    for name in names:
        assert await add_account(database, name, f"{name}@owner.example", "free", None)
