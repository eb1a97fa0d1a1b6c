"""The domain that a message claims to be from: that of its From, as readers are shown it."""

from collections.abc import Sequence

from mailsacd.core.address import parse_address
from mailsacd.core.errors import BadAddressError
from mailsacd.mail.authentication.canonical import RawMessage
from mailsacd.mail.authentication.evaluation import UnusableError
from mailsacd.mime import addresses, header


def author_domain(content: bytes, message: RawMessage) -> str:
    """Return it, normal. ``message`` is ``content``, cut strictly, as signatures see it.

    Raises UnusableError where two readers could see two authors: with no From or several, however
    the header is cut, and with addresses of several domains in it.
    """
    _, section = header.read(content)
    shown = [value for name, value in section.fields if name.strip().lower() == b"from"]
    if len(shown) != 1 or len(message.named("from")) != 1:
        count = max(len(shown), len(message.named("from")))
        what = "no From field" if not count else "several From fields, or one that is cut in two"
        raise UnusableError("permerror", f"there is {what}")
    mailboxes, limited = addresses.parse(header.unfold(shown[0]))
    domains = _domains([each.address for each in mailboxes if each.address])
    if limited or len(domains) != 1:
        what = "several domains" if domains else "no address with a domain"
        raise UnusableError("permerror", f"From has {what}")
    return domains.pop()


def _domains(texts: Sequence[str]) -> set[str]:
    try:
        return {parse_address(text).domain for text in texts}
    except BadAddressError:
        return set()
