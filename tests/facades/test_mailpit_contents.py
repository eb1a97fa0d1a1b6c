"""What a message says, as Mailpit's answers have it: how it is shown, and how much is kept."""

from mailsacd.facades.mailpit.contents import (
    MAX_MESSAGE_ID_CHARACTERS,
    MAX_PICTURES,
    MAX_REPLY_TO_CHARACTERS,
    MAX_SEARCHED_CHARACTERS,
    contents_of,
    extract_of,
    page_of,
)
from mailsacd.mime.message import ParsedMessage
from mailsacd.mime.trace import parse_stored

PART = b"--b\r\nContent-Type: image/png\r\nContent-Disposition: inline\r\n"


def parsed(html: bytes, *ids: bytes) -> ParsedMessage:
    parts = [b"%bContent-ID: <%b>\r\n\r\nPNG\r\n" % (PART, each) for each in ids]
    return parse_stored(
        b"From: a@example.net\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/related; boundary="b"\r\n\r\n'
        b"--b\r\nContent-Type: text/html\r\n\r\n%b\r\n%b--b--\r\n" % (html, b"".join(parts))
    )


def page(html: bytes, *ids: bytes) -> bytes:
    return page_of(contents_of(parsed(html, *ids)), "/p/")


def test_pictures_are_found_by_their_whole_ids() -> None:
    html = b'<img src="cid:a"><img src=cid:ab><i style="background: url(cid:c@d)"></i>cid:x cid:'
    assert page(html, b"a", b"ab", b"c@d") == (
        b'<img src="/p/1"><img src=/p/2><i style="background: url(/p/3)"></i>cid:x cid:'
    )
    assert page(b'<img src="cid:c%40d">', b"c@d") == b'<img src="/p/1">'
    assert page(b'<img src="cid:a">', b"a", b"a") == b'<img src="/p/1">'
    assert page(b'<img src="cid:a">') == b'<img src="cid:a">'


def test_a_page_does_not_grow_without_end() -> None:
    html = b"cid:a " * (MAX_PICTURES + 1_000)
    shown = page_of(contents_of(parsed(html, b"a")), f"/{'p' * 1_000}/")
    assert len(shown) < len(html) + MAX_PICTURES * 1_010
    assert shown.endswith(b"/1 " + b"cid:a " * 1_000)


def test_what_is_kept_of_a_message_is_bounded_whatever_its_header_says() -> None:
    people = ", ".join(f"\u0130{n} <a{n}@example.net>" for n in range(5_000)).encode()
    told = extract_of(
        parse_stored(
            b"From: ann@example.net\r\nTo: %b\r\nReply-To: %b\r\nSubject: %b\r\n"
            b"Message-ID: <%b@a>\r\n\r\ntext" % (people, people, b"word " * 9_000, b"i" * 9_000)
        )
    )
    assert told.searched.startswith("ann@example.net \u0130".lower())
    assert len(told.searched) <= 2 * MAX_SEARCHED_CHARACTERS
    assert len(told.message_id) <= MAX_MESSAGE_ID_CHARACTERS
    named = sum(len(each.address) + len(each.name) for each in told.reply_to)
    assert 0 < named <= MAX_REPLY_TO_CHARACTERS
