"""Mail addresses as this daemon compares and stores them.

An address is *normal* when its local part is lower case in NFC and its domain is lower-case IDNA
(A-labels). Only normal addresses are compared, stored as inboxes and shown. The text of a normal
address is read as that address again, so every call takes what another one gave out.

Dots may stand anywhere in a local part (``a..b@d``, ``a.@d``, ``.a@d``): RFC 5321 section 4.1.2
forbids it without quotes, and subscribers of large Japanese providers have such addresses.
Parsing SMTP paths out of command lines is the SMTP grammar's work; this module sees what stood
between the angle brackets.
"""

import hashlib
import hmac
import ipaddress
import re
import unicodedata
from dataclasses import dataclass

import idna

from mailsacd.core.errors import BadAddressError
from mailsacd.core.run import ID_FORM, is_of_run

MAX_LOCAL_OCTETS = 64  # RFC 5321 section 4.5.3.1.1
MAX_DOMAIN_OCTETS = 255  # RFC 5321 section 4.5.3.1.2
MAX_DNS_CHARACTERS = 253  # RFC 1035 section 2.3.4: 255 octets as they are sent
MAX_ADDRESS_OCTETS = 254  # RFC 5321 section 4.5.3.1.3: 256 with the angle brackets

_ALTERNATE_LOCAL = re.compile(r"inbox-[0-9a-f]{40}\Z")
_RUN_LOCAL = re.compile(rf"({ID_FORM})-(.+)\Z")
_UNQUOTED = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~.\u0080-\U0010ffff-]+\Z")
_ASCII_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\Z")
_QUOTED = re.compile(r'"((?:[^"\\\x00-\x1f\x7f]|\\[\x20-\x7e])*)"\Z')
_ORDINARY = re.compile(
    r"[a-z0-9!#$%&'*/=?^_`{|}~-]{1,32}(?:\.[a-z0-9!#$%&'*/=?^_`{|}~-]{1,15}){0,1}"
    r"@(?:[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?\.){1,4}[a-z]{2,20}\Z"
)


@dataclass(frozen=True, slots=True)
class Address:
    """A normal address: ``local`` in NFC lower case, ``domain`` in lower-case A-labels."""

    local: str
    domain: str

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"

    @property
    def is_alternate(self) -> bool:
        """Whether the local part has the form of an alternate: ``inbox-`` and 40 hex digits."""
        return _ALTERNATE_LOCAL.match(self.local) is not None

    @property
    def is_of_run(self) -> bool:
        """Whether the domain has the form of a run's (core.run)."""
        return is_of_run(self.domain)

    @property
    def _is_named(self) -> bool:
        return not self.domain.startswith("[")

    def without_tag(self) -> "Address":
        """The address that plus-addressing delivers to (RFC 5233): ``jeff+x@d`` to ``jeff@d``.

        A local part that starts with its only plus has nothing before the tag and stays as it is.
        One that starts with a run's id means that run's domain: ``run-…-jeff@d``, for domains whose
        subdomains get no mail, is ``jeff@run-….d``.
        """
        user, plus, _tag = _meant(self.local).partition("+")
        if user.startswith("run-") and (of_run := _RUN_LOCAL.match(user)) and self._is_named:
            return Address(_written(of_run[2]), f"{of_run[1]}.{self.domain}")
        return Address(_written(user), self.domain) if plus and user else self


def parse_address(text: str) -> Address:
    """Normalise ``text``, a mail address without angle brackets (RFC 5321 Mailbox, RFC 6531).

    Raises BadAddressError naming what is wrong with it.
    """
    if _ORDINARY.match(text):  # nearly all mail: already normal, and well within every limit
        local, _, domain = text.partition("@")
        return Address(local, domain)
    local, at, domain = text.rpartition("@")
    if not at:
        raise BadAddressError(f"no @ in the address {_shown(text)}")
    normal = Address(_normal_local(local), normal_domain(domain))
    if len(str(normal).encode()) > MAX_ADDRESS_OCTETS:
        raise BadAddressError(f"the address is longer than {MAX_ADDRESS_OCTETS} octets")
    return normal


def split_addresses(text: str) -> list[str]:
    """The parts of ``text`` between commas, but for those in quoted local parts; without white
    space around them, and without empty ones. What they are is not checked.
    """
    parts: list[str] = []
    start, quoted, escaped = 0, False, False
    for place, character in enumerate(text):
        if escaped:
            escaped = False
        elif character == '"':
            quoted = not quoted
        elif character == "\\":
            escaped = quoted
        elif character == "," and not quoted:
            parts.append(text[start:place])
            start = place + 1
    parts.append(text[start:])
    return [part for each in parts if (part := each.strip())]


def inbox_of(email: str) -> Address:
    """The inbox that a reader of ``email`` means. Raises BadAddressError.

    Nobody reads an alternate: taken literally, its inbox is empty once it stands for an address.
    """
    address = parse_address(email)
    return address if address.is_alternate else address.without_tag()


def normal_domain(text: str) -> str:
    """``text`` as a lower-case domain of A-labels, or an address literal (``[192.0.2.1]``).

    Raises BadAddressError when it is neither.
    """
    if text.startswith("["):
        return _normal_literal(text)
    lowered = unicodedata.normalize("NFC", text.rstrip(".") if text != "." else text).lower()
    if not lowered.isascii():
        try:
            lowered = idna.encode(lowered, uts46=True).decode("ascii")
        except idna.IDNAError as e:
            raise BadAddressError(f"{_shown(text)} is not an internationalised domain name") from e
    if not lowered or len(lowered) > MAX_DOMAIN_OCTETS:
        raise BadAddressError(f"the domain is empty or longer than {MAX_DOMAIN_OCTETS} octets")
    if not all(_ASCII_LABEL.match(label) for label in lowered.split(".")):
        raise BadAddressError(f"{_shown(text)} is not a domain name")
    return lowered


def is_domain(text: str) -> bool:
    """Tell whether ``text`` is a domain name of two labels or more that can be in the DNS."""
    try:
        normal = normal_domain(text)
    except BadAddressError:
        return False
    return not text.startswith("[") and "." in normal and len(normal) <= MAX_DNS_CHARACTERS


def alternate_local(secret: bytes, address: Address) -> str:
    """The local part of the alternate that stands for ``address``: it never changes.

    A keyed hash (HMAC-SHA-256 cut to 160 bits): nobody without ``secret`` can guess it, or tell
    from it which address it stands for.
    """
    digest = hmac.new(secret, str(address).encode(), hashlib.sha256).hexdigest()
    return f"inbox-{digest[:40]}"


def _normal_local(text: str) -> str:
    # NFC once more: lower-casing can leave what composes (J and a caron do, in lower case only).
    # Checks come after it, since NFC makes some characters into others, even into ASCII.
    lowered = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).lower())
    normal = _written(_meant(lowered))
    if not _UNQUOTED.match(normal) and not _QUOTED.match(lowered):
        raise BadAddressError(f"{_shown(text)} is not a local part (the part before the @)")
    if any(unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} for c in normal):
        raise BadAddressError("there is a control character in the local part")
    if len(normal.encode()) > MAX_LOCAL_OCTETS:
        raise BadAddressError(f"the local part is longer than {MAX_LOCAL_OCTETS} octets")
    return normal


def _meant(local: str) -> str:
    """``local`` without quotes and backslashes, which RFC 5321 section 4.1.2 says are not part
    of what is meant."""
    quoted = _QUOTED.match(local)
    return re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else local


def _written(meant: str) -> str:
    """A lower-case local part as it is written: in quotes only where it has to be."""
    return meant if _UNQUOTED.match(meant) else '"' + re.sub(r'(["\\])', r"\\\1", meant) + '"'


def _normal_literal(text: str) -> str:
    inner = text[1:-1] if text.endswith("]") else ""
    tag, is_v6 = inner[:5].lower(), inner[:5].lower() == "ipv6:"
    if "%" in inner:  # the zone of a link-local address means nothing to others
        raise BadAddressError(f"{_shown(text)} is not an address literal")
    try:
        address = ipaddress.IPv6Address(inner[5:]) if is_v6 else ipaddress.IPv4Address(inner)
    except ValueError as e:
        raise BadAddressError(f"{_shown(text)} is not an address literal") from e
    return f"[{tag}{address}]" if is_v6 else f"[{address}]"


def _shown(text: str) -> str:
    """``text`` cut to a length that an error may carry, with control characters escaped."""
    return repr(text if len(text) <= 80 else text[:77] + "...")
