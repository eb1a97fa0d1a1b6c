"""What searches, for the API and the pages: what may go on at a time is one bound for both."""

from mailsacd.assembly.ownership import Ownership
from mailsacd.assembly.part import Ground
from mailsacd.mail.reading.search import Search


def make_search(ground: Ground, owners: Ownership) -> Search:
    """Return what finds mail by the query language."""
    return Search(ground.reads, owners.access_control, ground.lanes.readers, ground.reactor)
