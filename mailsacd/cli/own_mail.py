"""What commands write mail with. A daemon sends it: one that runs at once, else the next one."""

from mailsacd.cli.command import base_url
from mailsacd.data import Data, hostname_of
from mailsacd.mail.accounts.accounts import Accounts
from mailsacd.mail.accounts.plans import Plans
from mailsacd.mail.ownership.directory import Directory
from mailsacd.mail.ownership.domain_rules import rules_of
from mailsacd.mail.sending.own_mail import OwnMail, OwnMailRules, own_sender
from mailsacd.mail.sending.queueing import Queueing
from mailsacd.mail.sending.senders import Senders
from mailsacd.mail.sending.signing import Signer
from mailsacd.settings import Settings
from mailsacd.store.notices import Notices


def own_mail_of(data: Data, settings: Settings) -> OwnMail:
    """Return what writes in the server's name. Raises ConfigurationError."""
    hostname, reactor, lane = hostname_of(settings), data.reactor, data.lanes.rest
    lent = rules_of(settings.domains, hostname).hosting
    # Nothing is remembered here, so nothing is listened for
    notices = Notices(data.direct_dsn, lane, reactor=reactor)
    directory = Directory(data.database, notices)
    accounts = Accounts(data.database, Plans(settings.plans, settings.accounts.default_plan))
    signer = Signer(data.database, notices, lane, lent=lent, reactor=reactor)
    return OwnMail(
        Queueing(accounts, lane, reactor=reactor, signer=signer),
        directory,
        Senders(directory, settings.message.accepted_domains, lent),
        OwnMailRules(
            sender=own_sender(settings.relay.own_sender, hostname),
            server=hostname,
            front=lambda: base_url(settings),
        ),
        reactor=reactor,
    )
