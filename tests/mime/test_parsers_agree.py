"""The Rust parser and the walk of our own must give the same, and neither may ever raise."""

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailsacd.mime import header, native, structure
from mailsacd.mime.extract import links, text_of
from mailsacd.mime.parse import ParsedMessage, parse
from mailsacd.mime.sanitise import page_as_sent, sanitised_page

SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.eml"))


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


_TYPES = st.sampled_from(
    ["text/plain", "text/html; charset=utf-8", "TEXT/PLAIN; charset=iso-8859-1", "image/png",
     'application/pdf; name="a b.pdf"', "application/x; name*=utf-8''%C3%BC", "message/rfc822"]
)  # fmt: skip
_FIELDS = st.lists(
    st.sampled_from(
        ["Content-Disposition: inline", "content-disposition: attachment; filename=x.y",
         "Content-ID: <a@b>", "X-Other: thing\r\n folded", "Content-Description: words"]
    ),
    max_size=3, unique=True,
)  # fmt: skip
_ENCODED = st.one_of(
    st.tuples(st.just("base64"), st.binary(max_size=40).map(_base64)),
    st.tuples(st.sampled_from(["", "7bit", "8bit"]), st.text("ab \r\n<>.-", max_size=30)),
    st.tuples(st.just("quoted-printable"), st.text("ab =3D\r\n", max_size=30)),
)


@st.composite
def leaves(draw: st.DrawFn) -> str:
    encoding, body = draw(_ENCODED)
    fields = [f"Content-Type: {draw(_TYPES)}", *draw(_FIELDS)]
    if encoding:
        fields.append(f"Content-Transfer-Encoding: {encoding}")
    return "\r\n".join([*fields, "", body])


def _multipart(children: list[str], kind: str, number: int) -> str:
    boundary = f"=_part_{number:06}_"
    parts = "".join(f"\r\n--{boundary}\r\n{child}" for child in children)
    return f'Content-Type: {kind}; boundary="{boundary}"\r\n\r\n{parts}\r\n--{boundary}--\r\n'


def multiparts(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(
        _multipart,
        st.lists(children, min_size=1, max_size=4),
        st.sampled_from(["multipart/mixed", "multipart/alternative", "multipart/related"]),
        st.integers(0, 999_999),
    )


messages = multiparts(st.recursive(leaves(), multiparts, max_leaves=8))


def _read_all(parsed: ParsedMessage) -> None:
    """Ask a message for everything, as PostgreSQL and JSON must be able to carry it."""
    texts = [
        parsed.subject, parsed.text, parsed.html, parsed.message_id, parsed.headers,
        links(parsed), text_of(parsed), sanitised_page(parsed), page_as_sent(parsed),
        [[m.address, m.name] for mailboxes in (parsed.sender, parsed.to, parsed.cc, parsed.bcc)
         for m in mailboxes or ()],
        [[a.checksum, a.file_name, a.content_id, a.content_type, a.disposition,
          a.transfer_encoding] for a in parsed.attachments],
        str(parsed.date), parsed.priority,
    ]  # fmt: skip
    carried = json.dumps(texts, ensure_ascii=False)
    carried.encode("utf-8")
    assert "\\u0000" not in carried


@settings(max_examples=150, deadline=None)
@given(messages)
def test_generated_messages_come_out_the_same(message: str) -> None:
    content = f"From: a@b.c\r\nSubject: x\r\n{message}".encode()
    fast, careful = parse(content), parse(content, trust_native=False)
    assert fast == careful
    assert [a.checksum for a in fast.attachments] == [a.checksum for a in careful.attachments]


def test_the_fast_way_is_really_taken() -> None:
    content = (Path(__file__).parent / "samples" / "everything.eml").read_bytes()
    section = header.split(content)
    fields = [field for field in section.fields if field[0].startswith(b"Content-")]
    assert native.leaves(content, fields, section.body_start) is not None


@pytest.mark.parametrize(
    "body",
    [
        b"--b0undary\r\n\r\nx" + b"-" * 5_000,  # what could be nested too deep
        b"--b0undary\r\nX: =?utf-8?q?a?=\r\n\r\nx",  # encoded words
        b"--b0undary\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nx",
        b"--b0undary\r\n\r\nx",  # no fields
        b"--b0undary\r\nContent-Transfer-Encoding: base64\r\n\r\n!",
        b"nothing",
    ],
)
def test_the_fast_way_is_not_taken_where_it_is_wrong(body: bytes) -> None:
    fields = ((b"Content-Type", b"multipart/mixed; boundary=b0undary"),)
    assert native.leaves(b"\r\n" + body, fields, 2) is None


def test_more_parts_than_the_limit_are_left_to_the_careful_way() -> None:
    part = b"--b0undary\r\nA: b\r\n\r\n\r\n"
    fields = ((b"Content-Type", b"multipart/mixed; boundary=b0undary"),)
    content = part * (structure.MAX_PARTS + 1)
    assert native.leaves(content, fields, 0) is None


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400))
def test_no_bytes_raise(content: bytes) -> None:
    _read_all(parse(content))


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(["Subject", "From", "To", "Date", "Message-ID", "Content-Type", "X-Priority"]),
    st.text(max_size=120),
)
def test_no_field_raises(name: str, value: str) -> None:
    content = f"{name}: {value}\r\n\r\nbody".encode("utf-8", "surrogatepass")
    _read_all(parse(content))
    _read_all(parse(content, trust_native=False))


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(SAMPLES),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 12), st.binary(max_size=12)), max_size=5),
)
def test_no_mutation_of_a_sample_raises(
    path: Path, changes: list[tuple[float, int, bytes]]
) -> None:
    content = path.read_bytes()
    for place, removed, added in changes:
        at = int(place * len(content))
        content = content[:at] + added + content[at + removed :]
    _read_all(parse(content))
    _read_all(parse(content, trust_native=False))


@settings(max_examples=200, deadline=None)
@given(st.text("<>/!-=\"' abdiv&;#x:phrefcid\n", max_size=200))
def test_no_markup_raises(markup: str) -> None:
    _read_all(parse(f"Content-Type: text/html\r\n\r\n{markup}".encode()))
