"""What the commands about addresses and domains share: the objects that decide, for one account."""

from mailsacd.core.actor import Actor, by_command
from mailsacd.core.errors import NotFoundError
from mailsacd.data import Data, hostname_of
from mailsacd.mail.accounts.passwords import Passwords
from mailsacd.mail.accounts.plans import Plans
from mailsacd.mail.ownership.addresses import Addresses
from mailsacd.mail.ownership.alternates import Alternates
from mailsacd.mail.ownership.directory import Directory
from mailsacd.mail.ownership.domain_keys import DomainKeys
from mailsacd.mail.ownership.domain_records import DomainRecords
from mailsacd.mail.ownership.domain_rules import rules_of
from mailsacd.mail.ownership.domains import Domains
from mailsacd.outbound.dns import Resolver
from mailsacd.settings import Settings
from mailsacd.store.accounts import find_account
from mailsacd.store.notices import Notices


async def owner(data: Data, account: str) -> Actor:
    """Somebody who acts for that account. Raises NotFoundError when there is none."""
    name = account.lower()
    if await find_account(data.database, name) is None:
        raise NotFoundError(f"There is no account {name}")
    return by_command(name)


def property_of(data: Data, settings: Settings) -> tuple[Addresses, Domains]:
    """Addresses and domains. What they change is told to the daemons that run."""
    plans = Plans(settings.plans, settings.accounts.default_plan)
    # Nothing is remembered here, so nothing is listened for
    notices = Notices(data.direct_dsn, data.lanes.rest, reactor=data.reactor)
    directory = Directory(data.database, notices)
    addresses = Addresses(
        data.database,
        directory,
        plans,
        Passwords(data.lanes.passwords),
        Alternates(data.database, reactor=data.reactor),
    )
    resolver = Resolver(settings.dns, data.reactor)
    rules = rules_of(settings.domains, hostname_of(settings))
    keys = DomainKeys(
        data.database, resolver, data.lanes.keys, lent=rules.hosting, clock=data.reactor
    )
    records = DomainRecords(resolver, rules, keys)
    return addresses, Domains(data.database, addresses, directory, plans, records)
