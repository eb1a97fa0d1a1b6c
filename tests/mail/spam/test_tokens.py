"""What a message is judged by: words, and what its header and links say."""

import pytest

from mailsacd.mail.spam.tokens import BUCKETS, MAX_TOKENS, tokens_of

MESSAGE = (
    b"From: Cheap Pills <sales@shop.pills.example>\r\nReply-To: other@drop.example\r\n"
    b"Subject: =?utf-8?q?B=C3=BCy_NOW?=\r\nX-Mailer: Blaster 3000\r\nX-Secret: unseen\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    b"<p>Don't wait: <a href='http://www.shop.pills.example/x?y=1'>click</a> for $99 "
    b"supercalifragilisticexpialidocious \xe8\x96\xac\xe5\xb1\x8b\xe3\x81\xa7\xe3\x81\x99</p>\r\n"
)


def test_words_are_told_apart_by_where_they_stand() -> None:
    found = set(tokens_of(MESSAGE).values())
    assert {
        "from:sales@shop.pills.example", "from:shop.pills.example", "from:cheap", "from:pills",
        "subject:b\u00fcy", "subject:now", "x-mailer:blaster", "reply-to:drop",
        "content-type:text", "link:pills.example", "link:shop.pills.example",
        "link:www.shop.pills.example", "html:", "don't", "wait", "click", "$99", "long:s3",
        "\u85ac\u5c4b\u3067\u3059",
    } <= found  # fmt: skip
    assert not {"unseen", "x-secret:unseen", "now", "for $99"} & found


def test_a_token_is_in_the_same_bucket_everywhere() -> None:
    assert tokens_of(b"\r\nhello\r\n")[42630] == "hello"


def test_there_are_only_so_many() -> None:
    vast = b"Subject: x\r\n\r\n" + b" ".join(b"word%d" % n for n in range(5 * MAX_TOKENS))
    found = tokens_of(vast)
    assert len(found) <= MAX_TOKENS
    assert all(0 <= bucket < BUCKETS for bucket in found)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\r\n", b"\xff\xfe\x00", b"From: \xed\xa0\x80 <@>\r\n\r\n\xed\xa0\x80",
        b"Content-Type: text/html\r\n\r\n<a href='http://[::1'>", b"x" * 300_000,
        b"\r\nhttp://" + b"a." * 5_000 + b"example/",
    ],
)  # fmt: skip
def test_any_message_has_tokens_or_none(content: bytes) -> None:
    assert len(tokens_of(content)) <= MAX_TOKENS
