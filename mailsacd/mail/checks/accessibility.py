"""Whether people who hear a message, or see little, can use it: what its HTML says to their tools.

The rules follow WCAG 2.2; the number of the success criterion stands at each.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from mailsacd.mail.checks.check import Reason, Result, Subject, gathered, not_applicable, scored
from mailsacd.mail.checks.contrast import Faint, faint_texts
from mailsacd.mail.checks.link_texts import says_nothing
from mailsacd.mime.tree import Element

NAME: Final = "accessibility"

_LANGUAGE: Final = re.compile(r"[a-zA-Z]{2,8}(?:-[a-zA-Z0-9]{1,8}){0,8}\Z")  # RFC 5646, 2.1
_FILE_NAME: Final = re.compile(r"\S{1,200}\.(?:png|jpe?g|gif|webp|svg|bmp)\Z", re.IGNORECASE)
_NO_ZOOM: Final = re.compile(
    r"user-scalable\s{0,9}=\s{0,9}(?:no|0)|maximum-scale\s{0,9}=\s{0,9}1\b"
)
_HEADING: Final = re.compile(r"h[1-6]\Z")
_FOR_LAYOUT: Final = frozenset({"presentation", "none"})
_OF_DATA: Final = frozenset({"th", "caption", "thead"})
_MAX_NAME_CHARS: Final = 300


def check_accessibility(subject: Subject) -> Result:
    """Look at the language, pictures, contrast, tables, headings and links of the HTML."""
    if subject.tree is None:
        return not_applicable(NAME, "The message has no HTML")
    page = _Page(subject)
    faint = faint_texts(subject)
    rules: Sequence[Callable[[_Page], Iterator[Reason]]] = (
        _language, _title, _zoom, _pictures, _tables, _headings, _links,
    )  # fmt: skip
    reasons = [*(reason for rule in rules for reason in rule(page)), *_contrast(faint)]
    if subject.looks.limited:
        reasons.append(Reason(points=0, text="Not all style sheets were looked at: they are long"))
    return scored(NAME, reasons, _data(page, faint))


class _Page:
    """The elements that are shown or read out, and those of the whole page."""

    def __init__(self, subject: Subject) -> None:
        self.all: Final = subject.elements
        looks = subject.looks
        self.shown: Final = [
            each
            for each in self.all
            if not looks[each].hidden and each.attributes.get("aria-hidden") != "true"
        ]
        self.names: Final = names_in(self.all)

    def named(self, name: str) -> list[Element]:
        """The elements of that name that are shown."""
        return [each for each in self.shown if each.name == name]

    def links(self) -> list[Element]:
        """All that can be followed."""
        return [each for each in self.named("a") if each.attributes.get("href", "").strip()]

    def headings(self) -> list[Element]:
        """All headings that are shown."""
        return [each for each in self.shown if _HEADING.match(each.name)]


def _counted(each: int, most: int, text: str, elements: Sequence[Element]) -> tuple[Reason, ...]:
    """A fault of ``elements``, which costs ``each`` for every one of them, and ``most`` at most."""
    points = min(each * len(elements), most)
    return gathered(points, text, [element.place() for element in elements])


def _language(page: _Page) -> Iterator[Reason]:
    """3.1.1: which voice reads it."""
    roots = [each for each in page.all if each.name == "html"]
    languages = [root.attributes.get("lang", "").strip() for root in roots]
    if not any(languages):
        where = roots[0].place() if roots else None
        text = "The language of the page is not declared: <html lang> is missing"
        yield Reason(points=10, text=text, where=where)
    elif not _LANGUAGE.match(next(filter(None, languages))):
        text = "The declared language is not a language tag such as en or pt-BR"
        yield Reason(points=10, text=text, where=roots[0].place())


def _title(page: _Page) -> Iterator[Reason]:
    """2.4.2: what a tab or window is called in which the page is opened."""
    if not any(each.name == "title" and _own_text(each) for each in page.all):
        yield Reason(points=2, text="The page has no <title>")


def _zoom(page: _Page) -> Iterator[Reason]:
    """1.4.4: who sees little makes it larger."""
    fixed = [
        each
        for each in page.all
        if each.name == "meta" and _NO_ZOOM.search(each.attributes.get("content", "")[:500].lower())
    ]
    yield from _counted(5, 5, "The page forbids to make it larger", fixed)


def _pictures(page: _Page) -> Iterator[Reason]:
    """1.1.1: what is said in place of a picture."""
    pictures = page.named("img")
    silent = [each for each in pictures if "alt" not in each.attributes and not _is_layout(each)]
    text = "A picture has no alt attribute; one that means nothing needs an empty one"
    yield from _counted(5, 25, text, silent)
    files = [each for each in pictures if _FILE_NAME.match(each.attributes.get("alt", "").strip())]
    yield from _counted(2, 10, "The alt text of a picture is the name of its file", files)


def _contrast(faint: Sequence[Faint]) -> Iterator[Reason]:
    """1.4.3: what can hardly be read."""
    left = 25
    for pair in faint:
        text = (
            f"Text in {pair.colour.as_hex()} on {pair.background.as_hex()} has a contrast of"
            f" {pair.ratio:.2f}:1; it needs {pair.needed:g}:1"
        )
        points = min(8 if pair.ratio < pair.needed / 1.5 else 4, left)
        left -= points
        yield from gathered(points, text, [element.place() for element in pair.elements])


def _tables(page: _Page) -> Iterator[Reason]:
    """1.3.1: a table that only places things is not read out as one, if it says so."""
    with_data = {
        next((above for above in each.ancestors() if above.name == "table"), None)
        for each in page.shown
        if each.name in _OF_DATA
    }
    tables = page.named("table")
    unsaid = [each for each in tables if "role" not in each.attributes and each not in with_data]
    text = 'A table that seems to be for layout has no role="presentation"'
    yield from _counted(1, 10, text, unsaid)
    denied = [each for each in tables if _is_layout(each) and each in with_data]
    text = "A table is declared to be for layout, and has headings or a caption"
    yield from _counted(3, 9, text, denied)


def _headings(page: _Page) -> Iterator[Reason]:
    """1.3.1 and 2.4.6: how people skim a page that they do not see."""
    headings = page.headings()
    empty = [each for each in headings if not page.names[each]]
    yield from _counted(3, 9, "A heading is empty", empty)
    skipping: list[Element] = []
    level = 0
    for each in headings:
        own = int(each.name[1])
        if own > level + 1 and level:
            skipping.append(each)
        level = own
    yield from _counted(3, 9, "A heading is more than one level below the one before it", skipping)


def _links(page: _Page) -> Iterator[Reason]:
    """2.4.4: where a link leads, for who hears nothing but the links."""
    links = page.links()
    nameless = [each for each in links if not page.names[each]]
    text = "A link has no text, nor a picture with an alt text"
    yield from _counted(5, 20, text, nameless)
    vague = [each for each in links if says_nothing(page.names[each])]
    yield from _counted(2, 8, "The text of a link does not say where it leads", vague)


def names_in(elements: Sequence[Element]) -> dict[Element, str]:
    """Return what each of ``elements``, in their order, is called when it is read out.

    That is its text with the alt texts in it, or what an attribute says instead.
    """
    names: dict[Element, str] = {}
    for element in reversed(elements):  # those inside come before what they are in
        attributes = element.attributes
        said = attributes.get("aria-label", "").strip() or attributes.get("alt", "").strip()
        if not said:
            parts = [
                child[:_MAX_NAME_CHARS] if isinstance(child, str) else names.get(child, "")
                for child in element.children[:_MAX_NAME_CHARS]
            ]
            said = " ".join("".join(parts).split()) or attributes.get("title", "").strip()
        names[element] = "" if element.name in ("style", "title") else said[:_MAX_NAME_CHARS]
    return names


def _is_layout(element: Element) -> bool:
    return element.attributes.get("role", "").strip().lower() in _FOR_LAYOUT


def _own_text(element: Element) -> str:
    return "".join(child for child in element.children if isinstance(child, str)).strip()


def _data(page: _Page, faint: Sequence[Faint]) -> dict[str, Any]:
    languages = (each.attributes.get("lang") for each in page.all if each.name == "html")
    return {
        "language": next((each.strip()[:100] for each in languages if each), None),
        "images": len(page.named("img")),
        "links": len(page.links()),
        "headings": len(page.headings()),
        "tables": len(page.named("table")),
        "lowContrast": [
            {
                "colour": pair.colour.as_hex(),
                "background": pair.background.as_hex(),
                "ratio": pair.ratio,
                "needed": pair.needed,
                "places": len(pair.elements),
            }
            for pair in faint
        ],
    }
