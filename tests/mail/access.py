"""What decides who may look into an inbox, without a connection that listens: it keeps nothing."""

from typing import Any

from twisted.internet import reactor as the_reactor

from mailsacd.mail.ownership.directory import Directory
from mailsacd.mail.reading.access import AccessControl
from mailsacd.store.notices import Notices
from mailsacd.store.pool import Database
from tests.lanes import LANES

reactor: Any = the_reactor


def access_control(database: Database, *, anonymous_read: bool = True) -> AccessControl:
    """For the addresses and domains of that database."""
    directory = Directory(database, Notices("", LANES.rest, reactor=reactor))
    return AccessControl(directory, anonymous_read=anonymous_read)
