"""What a reader is shown of messages of all shapes, as a text and as a page.

A shape is written as ``kind(part part)``: ``t:`` is a text, ``h:`` HTML, ``i:`` a picture and
``a:`` an attachment. The text and the page of one are the same words in the same order, unless a
row says so. The table in docs/specifications.md has such rows as well.
"""

import re
from pathlib import Path

import pytest

from mailsacd.mime.extract import text_of, text_of_stored
from mailsacd.mime.parse import parse
from mailsacd.mime.sanitise import page_as_sent, sanitised_page

_TOKEN = re.compile(r"(\w+)\(|(\))|([thia]):((?:[^\s()]|\(\))*)")
_TYPES = {
    "t": "text/plain; charset=utf-8",
    "h": "text/html; charset=utf-8",
    "i": 'image/png\r\nContent-Disposition: inline; filename="x.png"',
    "a": 'text/plain\r\nContent-Disposition: attachment; filename="x.txt"',
}
_TAG = re.compile(r"<title>.*?</title>|<[^>]*>", re.DOTALL)


def message(shape: str) -> bytes:
    """The message of a shape: ``_`` in it stands for a space."""
    stack: list[list[str]] = [[]]
    kinds: list[str] = []
    for kind, end, leaf, content in _TOKEN.findall(shape):
        if kind:
            kinds.append(kind)
            stack.append([])
        elif end:
            boundary = f"b{len(kinds)}x{len(stack[-2])}"
            parts = "".join(f"--{boundary}\r\n{part}\r\n" for part in stack.pop())
            type_ = f'Content-Type: multipart/{kinds.pop()}; boundary="{boundary}"'
            stack[-1].append(f"{type_}\r\n\r\n{parts}--{boundary}--\r\n")
        else:
            stack[-1].append(f"Content-Type: {_TYPES[leaf]}\r\n\r\n{content.replace('_', ' ')}")
    [whole] = stack.pop()
    return f"Subject: of no account\r\n{whole}".encode()


def words(page: str) -> list[str]:
    """What is left of a page without its markup."""
    return _TAG.sub(" ", page).split()


SAME = {
    "a text alone": ("t:one", "one"),
    "HTML alone": ("h:<p>one</p>", "one"),
    "HTML, then the footer of a list": ("mixed(h:<p>one</p> t:two)", "one two"),
    "a disclaimer, then HTML": ("mixed(t:one h:<p>two</p>)", "one two"),
    "text, HTML, text": ("mixed(t:one h:<p>two</p> t:three)", "one two three"),
    "HTML, text, HTML": ("mixed(h:<p>one</p> t:two h:<p>three</p>)", "one two three"),
    "texts with a file between": ("mixed(t:one a:file t:two)", "one two"),
    "pages with a picture between": ("mixed(h:one i:x h:two)", "one two"),
    "two pages": ("mixed(h:<p>one</p> h:<p>two</p>)", "one two"),
    "several footers": ("mixed(h:one t:two t:three)", "one two three"),
    "a page in a page's place": ("related(h:<b>one</b> i:x)", "one"),
    "a page with pictures, then a footer": ("mixed(related(h:one i:x) t:two)", "one two"),
    "a page with pictures and a footer": ("related(h:one i:x t:two)", "one two"),
    "mixed in mixed": ("mixed(mixed(h:one t:two) t:three)", "one two three"),
    "the one alternative": ("alternative(h:one)", "one"),
    "another kind of multipart": ("signed(h:one t:two)", "one two"),
    "a blank text beside HTML": ("mixed(t:_ h:one)", "one"),
    "a blank page beside a text": ("mixed(h:<p></p> t:one)", "one"),
    "nothing": ("mixed(a:file)", ""),
    "a text and a file": ("mixed(t:one a:file)", "one"),
    "blank forms": ("alternative(t:_ h:<br>)", ""),
}
OF_FORMS = {
    "text and HTML": ("alternative(t:plain h:rich)", "plain", "rich"),
    "HTML and text": ("alternative(h:rich t:plain)", "plain", "rich"),
    "two forms, then a footer": (
        "mixed(alternative(t:plain h:rich) t:two)", "plain two", "rich two"
    ),
    "two forms between others": (
        "mixed(t:one alternative(t:plain h:rich) h:three)", "one plain three", "one rich three"
    ),
    "forms twice": (
        "mixed(alternative(t:a h:b) alternative(t:c h:d))", "a c", "b d"
    ),
    "a page with pictures as a form": (
        "alternative(t:plain related(h:rich i:x))", "plain", "rich"
    ),
    "forms within a page's multipart": (
        "related(alternative(t:plain h:rich) i:x)", "plain", "rich"
    ),
    "pages around a file as a form": (
        "alternative(t:plain mixed(h:rich a:file h:more))", "plain", "rich more"
    ),
    "a footer in each form": (
        "alternative(mixed(t:plain t:foot) mixed(h:rich t:base))", "plain foot", "rich base"
    ),
    "a footer among the forms": (
        "alternative(t:plain h:rich t:foot)", "plain foot", "rich"
    ),
    "forms in a form": (
        "alternative(t:plain alternative(t:other h:rich))", "plain", "rich"
    ),
    "HTML alone in a form": (
        "alternative(mixed(h:rich t:base) a:x)", "rich base", "rich base"
    ),
    "a blank text": ("alternative(t: h:rich)", "rich", "rich"),
    "a blank page": ("alternative(t:plain h:<html><body><br></body></html>)", "plain", "plain"),
}  # fmt: skip
_DOCUMENTED = re.compile(r"^\| `(\S.*?)`[^|]*\| ?(.*?) ?\| ?(.*?) ?\|$", re.MULTILINE)
_DOCUMENT = Path(__file__).parents[2] / "docs" / "specifications.md"
_SECTION = _DOCUMENT.read_text(encoding="utf-8").partition("## What a reader is shown")[2]
_SECTION = _SECTION.partition("\n## ")[0]
SHAPES = {
    **{name: (shape, shown, shown) for name, (shape, shown) in SAME.items()},
    **OF_FORMS,
    **{shape: (shape, text, page) for shape, text, page in _DOCUMENTED.findall(_SECTION)},
}


def test_the_table_is_there() -> None:
    assert len(_DOCUMENTED.findall(_SECTION)) == _SECTION.count("\n|") - 2


@pytest.mark.parametrize("name", SHAPES)
def test_what_is_shown_of_a_shape(name: str) -> None:
    shape, text, page = SHAPES[name]
    raw = message(shape)
    parsed = parse(raw)
    assert text_of(parsed).split() == text.split()
    assert text_of_stored(raw) == text_of(parsed)
    assert words(sanitised_page(parsed)) == page.split()
    assert words(page_as_sent(parsed)) == page.split()


def test_a_page_that_is_a_picture_is_shown_where_pictures_are() -> None:
    parsed = parse(message("alternative(t:plain h:<p><img_src='x'></p>)"))
    assert page_as_sent(parsed) == parsed.html == "<p><img src='x'></p>"
    assert words(sanitised_page(parsed)) == ["plain"]


BLANKS = [
    "", " ", "\r\n\r\n", "\t", "\u00a0", "\u200b\u200c\u200d", "\ufeff", "\u00ad", "\u2060 \u034f",
    "\u200e\u200f", "\u3000", "\u2800", "\u115f\u3164", "\ufe0f", "\u180e", "\x0b\x0c\x1c\x85",
]  # fmt: skip


@pytest.mark.parametrize("blank", BLANKS)
@pytest.mark.parametrize("kind", ["alternative", "mixed"])
def test_a_text_that_shows_nothing_is_made_from_the_html(blank: str, kind: str) -> None:
    text = message(f"{kind}(t:blank h:<p>code_4711</p>)").decode().replace("blank", blank)
    assert text_of(parse(text.encode())) == "code 4711\n"


@pytest.mark.parametrize(
    "blank",
    [
        "",
        "<p>&nbsp;</p>",
        "<div>&#8203;&zwnj;</div>",
        "<head><title>t</title><style>p { }</style></head><body></body>",
        "<!-- nothing -->",
        "<script>x</script>",
    ],
)
def test_a_page_that_shows_nothing_is_made_from_the_text(blank: str) -> None:
    raw = message("alternative(t:code_4711 h:blank)").replace(b"blank", blank.encode())
    parsed = parse(raw)
    assert "<pre>code 4711</pre>" in sanitised_page(parsed)
    assert "<pre>code 4711</pre>" in page_as_sent(parsed)
    assert parsed.html is None


def test_a_blank_text_leaves_no_trace_beside_others() -> None:
    parsed = parse(message("mixed(h:one t:_ h:two)"))
    assert "<body>one\ntwo</body>" in sanitised_page(parsed)
    assert parsed.html == "one\ntwo"


def test_one_page_does_not_hide_the_next() -> None:
    raw = message("mixed(h:<p_title='x h:<!--x t:<i>two)")
    assert "&lt;i&gt;two" in sanitised_page(parse(raw))


def test_many_pages_have_one_limit() -> None:
    page = b"Content-Type: text/html\r\n\r\n" + b"<p>x" * 20_000
    parts = b"".join(b"--b\r\n" + page + b"\r\n" for _ in range(20))
    parsed = parse(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + parts + b"--b--\r\n")
    assert parsed.limited
    assert sanitised_page(parsed).count("<p>") == 60_000
