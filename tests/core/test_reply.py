"""The table of SMTP replies."""

import pytest

from mailsacd.core import reply
from mailsacd.core.reply import Reply

ALL = {name: value for name, value in vars(reply).items() if isinstance(value, Reply)}


@pytest.mark.parametrize("name", ALL)
def test_a_reply_agrees_with_its_enhanced_status_and_fits_the_line(name: str) -> None:
    found = ALL[name]
    assert found.enhanced == "" or found.enhanced[0] == str(found.code)[0]
    for line in found.wire.splitlines(keepends=True):
        assert line.endswith(b"\r\n")
        assert len(line) <= 512
        assert line.isascii()


def test_a_reply_of_several_lines_has_the_code_on_each() -> None:
    assert Reply(250, "", ("one", "two")).wire == b"250-one\r\n250 two\r\n"
    assert Reply(550, "5.7.1", ("no",)).saying("a", "b").wire == b"550-5.7.1 a\r\n550 5.7.1 b\r\n"


@pytest.mark.parametrize("text", ["no\n", "no\r\n250 Ok", "n\0", "\x7f", "\t"])
def test_a_reply_stays_within_its_lines(text: str) -> None:
    for status, lines in (("", (text,)), ("", ("one", text)), (text, ("one",))):
        with pytest.raises(ValueError, match="control character"):
            Reply(550, status, lines)
    assert Reply(550, "", ("nicht für\u00a0uns",)).wire == "550 nicht für\u00a0uns\r\n".encode()
