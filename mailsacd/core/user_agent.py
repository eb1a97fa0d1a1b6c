"""What program somebody uses, in a few words: ``Firefox 128 on Linux``, of a User-Agent field.

RFC 9110 section 10.1.5. It is what the client says, for people to tell their sessions apart.
"""

import re
from typing import Final

MAX_CHARACTERS: Final = 60

_LOOKED_AT: Final = 400
# In this order: most of them say that they are those after them as well
_BROWSERS: Final = (
    ("Edge", re.compile(r"\bEdg(?:e|A|iOS)?/(\d{1,4})")),
    ("Opera", re.compile(r"\bOPR/(\d{1,4})")),
    ("Samsung Internet", re.compile(r"\bSamsungBrowser/(\d{1,4})")),
    ("Firefox", re.compile(r"\b(?:Firefox|FxiOS)/(\d{1,4})")),
    ("Chrome", re.compile(r"\b(?:HeadlessChrome|Chrome|CriOS)/(\d{1,4})")),
    ("Safari", re.compile(r"\bVersion/(\d{1,4})[^ ]{0,20}.{0,40}\bSafari/")),
)
_SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
_PRODUCT: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,40}(?:/[0-9A-Za-z._-]{1,18})?")


def short_agent(field: str) -> str:
    """The program and its system; another one's first product (``curl/8.5.0``); else nothing."""
    text = field[:_LOOKED_AT]
    system = next((name for word, name in _SYSTEMS if word in text), "")
    for name, pattern in _BROWSERS:
        if found := pattern.search(text):
            return f"{name} {found[1]}" + (f" on {system}" if system else "")
    product = _PRODUCT.match(text)
    return product[0][:MAX_CHARACTERS] if product else ""
