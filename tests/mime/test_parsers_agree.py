"""The walk finds what the standard library finds in a sound message, and nothing makes it raise."""

import base64
import binascii
import json
from collections.abc import Iterator
from contextlib import suppress
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import cast
from zlib import crc32

from hypothesis import given, settings
from hypothesis import strategies as st

from mailsacd.mime import header, structure, transfer
from mailsacd.mime.extract import links, text_of, text_of_stored
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
    # of two equals signs the standard library drops one
    st.tuples(
        st.just("quoted-printable"),
        st.text("ab=3D\r\n", max_size=30).filter(lambda text: "==" not in text),
    ),
)


@st.composite
def leaves(draw: st.DrawFn) -> str:
    encoding, body = draw(_ENCODED)
    fields = [f"Content-Type: {draw(_TYPES)}", *draw(_FIELDS)]
    if encoding:
        fields.append(f"Content-Transfer-Encoding: {encoding}")
    return "\r\n".join([*fields, "", body])


def _multipart(children: list[str], kind: str) -> str:
    boundary = f"=_part_{crc32(repr(children).encode())}_"  # no part has that of another one
    parts = "".join(f"\r\n--{boundary}\r\n{child}" for child in children)
    return f'Content-Type: {kind}; boundary="{boundary}"\r\n\r\n{parts}\r\n--{boundary}--\r\n'


def multiparts(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(
        _multipart,
        st.lists(children, min_size=1, max_size=4),
        st.sampled_from(["multipart/mixed", "multipart/alternative", "multipart/related"]),
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


def _by_the_standard_library(part: Message) -> Iterator[tuple[str, str | None, object]]:
    """The leaves: type, file name and content, which it does not keep of a message in a part."""
    kind = part.get_content_type()
    if kind.startswith("multipart/"):
        for child in cast(list[Message], part.get_payload()):
            yield from _by_the_standard_library(child)
    else:
        payload = None if kind == "message/rfc822" else part.get_payload(decode=True)
        yield kind, part.get_filename(), payload


@settings(max_examples=150, deadline=None)
@given(messages)
def test_generated_messages_come_out_as_by_the_standard_library(message: str) -> None:
    content = f"From: a@b.c\r\nSubject: x\r\n{message}".encode()
    found, limited = structure.leaves(content, header.split(content))
    ours = [
        (leaf.media_type, leaf.file_name,
         None if leaf.media_type == "message/rfc822" else leaf.content)
        for leaf in found
    ]  # fmt: skip
    assert ours == list(_by_the_standard_library(message_from_bytes(content)))
    assert not limited
    assert text_of_stored(content) == text_of(parse(content))


_DATA = b"QUJD+/+/" * 6
_BASE64_PIECES = [_DATA, _DATA + b"\r\n", b"\xff" + _DATA, b"\r\n", _DATA[:30] + b"\0" + _DATA[30:]]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(_BASE64_PIECES), max_size=30).map(b"".join))
def test_base64_comes_out_as_by_the_standard_library(encoded: bytes) -> None:
    with suppress(binascii.Error):  # of a group that is cut short: see the header's tests
        assert transfer.base64_bytes(encoded) == binascii.a2b_base64(encoded)


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


@settings(max_examples=200, deadline=None)
@given(st.text("<>/!-=\"' abdiv&;#x:phrefcid\n", max_size=200))
def test_no_markup_raises(markup: str) -> None:
    _read_all(parse(f"Content-Type: text/html\r\n\r\n{markup}".encode()))
