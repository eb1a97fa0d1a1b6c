"""Pictures that are there to tell a sender who opened a message, and when.

They are known by what they look like, by the URLs that well-known senders' services give them, and
by what is in the URL that only this recipient has.
"""

import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator
from hashlib import md5, sha1, sha256
from typing import Final
from urllib.parse import unquote, urlsplit

MAX_URL_CHARS: Final = 2_048
"""Of a longer URL the beginning is looked at."""

_MIN_ADDRESS_CHARS: Final = 6
_MIN_ID_CHARS: Final = 20

# Host, and beginning of the path, of services: each as it stands in mail that they send
_SERVICES: Final = (
    ("Mailchimp", r"list-manage\d?\.com/track/open"),
    ("Mandrill", r"mandrillapp\.com/track/open"),
    ("SendGrid", r"/wf/open\?"),
    ("Mailgun", r"^email\.[^/]+/o/"),
    ("Amazon SES", r"awstrack\.me/i0/|^[^/]+/ci0/"),
    ("Postmark", r"pstmrk\.it/open"),
    ("SparkPost", r"(?:sparkpostmail\d?|spgo)\.(?:com|io)/(?:q|f/a)/"),
    ("Campaign Monitor", r"(?:createsend\d?|cmail\d+)\.(?:com|email)/t/"),
    ("HubSpot", r"/e[123]t/o/|hubspotemail|^t\.sidekickopen"),
    ("Salesforce", r"/open\.aspx\?|exct\.net/|pardot\.com/r/"),
    ("Constant Contact", r"rs6\.net/on\.jsp"),
    ("Klaviyo", r"klaviyomail\.com/|klclick\d?\.com/o/"),
    ("Brevo", r"(?:sendibt\d|sibmail|sendibm\d|brevo)\.(?:com|net)/(?:tr/op|mk/op|op)"),
    ("ActiveCampaign", r"/lt\.php\?[^?]*\bl=open"),
    ("Iterable", r"links\.iterable\.com/e/eo|/e/eo\?"),
    ("Customer.io", r"customeriomail\.com/e/o/|/e/o/ey"),
    ("Braze", r"(?:ablink|links?)\.[^/]{1,100}/(?:ss/o|wf/open)/"),
    ("Mailjet", r"mjt\.lu/oo/"),
    ("Mailtrack", r"mailtrack\.io/trace|mltrk\.io/"),
    ("Yesware", r"yesware\.com/t/"),
    ("Streak", r"mailfoogae\.appspot\.com"),
    ("Superhuman", r"r\.superhuman\.com/"),
    ("Google Analytics", r"google-analytics\.com/(?:collect|__utm\.gif)"),
    ("Facebook", r"facebook\.com/(?:email_open_log_pic|tr\b)"),
    ("LinkedIn", r"linkedin\.com/emimp/"),
    ("Litmus", r"emltrk\.com/"),
)
_KNOWN: Final = tuple((name, re.compile(pattern)) for name, pattern in _SERVICES)
_GENERIC: Final = re.compile(
    r"/(?:e?mail[_-]?)?(?:opens?|opened|track(?:ing)?[_/-]?open|open[_/-]?track(?:ing)?|beacon"
    r"|(?:tracking[_-]?)?pixel|track(?:er)?|web[_-]?bug|read[_-]?receipt)"
    r"(?:\.(?:gif|png|php|aspx?|jsp|ashx))?(?:[/?]|\Z)"
)
_PICTURE_FILE: Final = re.compile(r"\.(?:png|jpe?g|gif|webp|svg|avif)\Z", re.IGNORECASE)
_OF_CONTENT: Final = frozenset({"s", "sig", "signature", "hash", "v", "ver", "version", "t"})


def service_of(url: str) -> str | None:
    """Return whose open pixel ``url`` is by its shape; ``""`` for nobody's in particular.

    None says that it looks like none.
    """
    place = url[:MAX_URL_CHARS].lower().partition("://")[2]  # host/path?query
    for name, pattern in _KNOWN:
        if pattern.search(place):
            return name
    return "" if _GENERIC.search(place) else None


def traces_of(addresses: Iterable[str]) -> frozenset[str]:
    """Return what ``addresses`` look like in URLs, in lower case: plain, encoded or hashed."""
    return frozenset(
        trace
        for address in addresses
        if len(address) >= _MIN_ADDRESS_CHARS
        for trace in _traces(address.lower())
    )


def has_trace(url: str, traces: Iterable[str]) -> bool:
    """Return whether any of ``traces`` is in ``url``."""
    plain = unquote(url[:MAX_URL_CHARS]).lower()
    return any(trace in plain for trace in traces)


def has_identifier(url: str) -> bool:
    """Return whether a part of ``url`` looks like the name of one message or recipient.

    Such a part is long, and has letters and digits mixed as no words have. The names of the files
    of pictures are not looked at, nor what they are in: many are named by a hash of their content.
    """
    try:
        parts = urlsplit(url[:MAX_URL_CHARS])
    except ValueError:
        return False
    words = [] if _PICTURE_FILE.search(parts.path) else parts.path.split("/")
    for field in parts.query.split("&"):
        name, _, value = field.partition("=")
        if name.lower() not in _OF_CONTENT:
            words.append(value or name)
    return any(map(_looks_random, words))


def _traces(address: str) -> Iterator[str]:
    content = address.encode("utf-8", "replace")
    yield address
    yield urlsafe_b64encode(content).decode("ascii").rstrip("=").lower()
    yield content.hex()
    for digest in (md5, sha1, sha256):
        yield digest(content, usedforsecurity=False).hexdigest()


def _looks_random(word: str) -> bool:
    if len(word) < _MIN_ID_CHARS:
        return False
    digits = sum(map(str.isdigit, word))
    letters = sum(map(str.isalpha, word))
    return digits >= 4 and letters >= 4
