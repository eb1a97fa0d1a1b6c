"""Every name that the readers of HTML have in a list is one that a browser knows."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from mailsacd.mime import markup, plain
from mailsacd.mime.allowed import ATTRIBUTES, STYLE_PROPERTIES, TAGS

OF_OTHER_STANDARDS = {"svg", "annotation"}
NO_LONGER_KNOWN = {"keygen"}  # old mail still has it

UNKNOWN_ELEMENTS = """names => names.filter(
    name => document.createElement(name) instanceof HTMLUnknownElement)"""
UNKNOWN_PROPERTIES = "names => names.filter(name => !CSS.supports(name, 'inherit'))"


@pytest.fixture(scope="module")
def blank(browser: Browser) -> Iterator[Page]:
    with browser.new_page() as page:
        yield page


@pytest.mark.parametrize(
    "names",
    [TAGS, ATTRIBUTES.keys() - {"*"}, markup.VOID, markup.RAW, plain.PARAGRAPH, plain.LINE,
     plain.UNSEEN, plain.ENDS_UNSEEN],
)  # fmt: skip
def test_elements(blank: Page, names: frozenset[str]) -> None:
    known = sorted(names - OF_OTHER_STANDARDS - NO_LONGER_KNOWN)
    assert blank.evaluate(UNKNOWN_ELEMENTS, known) == []
    assert blank.evaluate(UNKNOWN_ELEMENTS, ["nonsense"]) == ["nonsense"]


def test_style_properties(blank: Page) -> None:
    assert blank.evaluate(UNKNOWN_PROPERTIES, sorted(STYLE_PROPERTIES)) == []
    assert blank.evaluate(UNKNOWN_PROPERTIES, ["border-"]) == ["border-"]
