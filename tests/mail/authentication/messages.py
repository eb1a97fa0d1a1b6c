"""A message evaluated against a table of records, without a DNS."""

from mailsacd.core.authentication import ArcResult, DkimResult, DmarcResult, SpfResult
from mailsacd.mail.authentication.arc import check_chain
from mailsacd.mail.authentication.dkim import check_signature
from mailsacd.mail.authentication.dmarc import find_published, judge
from mailsacd.mail.authentication.evaluation import UnusableError
from mailsacd.mail.authentication.examination import Prepared, prepare
from mailsacd.mail.authentication.organization import read_list
from tests.mail.authentication.signer import NOW_S
from tests.mail.authentication.zone import Zone

ORGANIZATIONAL = read_list()
NO_SPF = SpfResult(result="none", domain="example.org", identity="mailfrom")


def prepared(message: bytes, now_s: int = NOW_S) -> Prepared:
    return prepare(message, None, "mx.example.net", now_s * 1000)


def dkim(message: bytes, zone: Zone, now_s: int = NOW_S) -> list[DkimResult]:
    """The results of all signatures."""
    return [zone.run(check_signature(each)) for each in prepared(message, now_s).signatures]


def arc(message: bytes, zone: Zone) -> ArcResult:
    """The result of the chain."""
    return zone.run(check_chain(prepared(message).chain))


def dmarc(message: bytes, zone: Zone, spf: SpfResult = NO_SPF) -> DmarcResult:
    """The result for the author's domain."""
    author = prepared(message).author
    if isinstance(author, UnusableError):
        return DmarcResult(result=author.result, domain="", reason=author.reason)
    published = zone.run(find_published(author, ORGANIZATIONAL))
    return judge(author, published, spf, dkim(message, zone), ORGANIZATIONAL)
