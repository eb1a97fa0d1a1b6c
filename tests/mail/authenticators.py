"""What checks keys and sessions, without a connection that listens: so it keeps nothing."""

from typing import Any

from twisted.internet import reactor as the_reactor

from mailsacd.mail.accounts.auth import Authenticator
from mailsacd.mail.accounts.guesses import Guesses
from mailsacd.store.notices import Notices
from mailsacd.store.pool import Database
from tests.lanes import LANES

reactor: Any = the_reactor


def authenticator(database: Database) -> Authenticator:
    """For the accounts of that database."""
    notices = Notices("", LANES.rest, reactor=reactor)
    return Authenticator(database, notices, Guesses(reactor), reactor=reactor)
