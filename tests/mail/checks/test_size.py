"""Sizes: from where Gmail clips a page, and from where servers refuse a message."""

import pytest

from mailsacd.mail.checks.size import CLIPPED_FROM_BYTES, check_size
from tests.mail.checks.subjects import subject


@pytest.mark.parametrize(
    ("html_bytes", "score", "word"),
    [(1_000, 100, ""), (95_000, 90, "nearly"), (CLIPPED_FROM_BYTES + 1, 50, "Gmail clips")],
)
def test_gmail_clips_a_long_page(html_bytes: int, score: int, word: str) -> None:
    # encoded it is longer, which is not what counts
    html = "<p>" + "\u00e9" * (html_bytes // 2 - 3)
    html += "x" * (html_bytes - 1 - len(html.encode())) + "\n"
    result = check_size(subject(html=html))
    assert result.score == score
    assert result.data["htmlBytes"] == html_bytes
    assert word in "".join(reason.text for reason in result.reasons)


def test_a_long_text_is_not_clipped_without_a_page_beside_it() -> None:
    result = check_size(subject("x" * 60 + "\n" + ("y" * 60 + "\n") * 3_000))
    assert (result.score, result.data["htmlBytes"]) == (100, 0)


@pytest.mark.parametrize(("size", "score"), [(1_000, 100), (8_000_000, 80), (20_000_000, 50)])
def test_servers_refuse_large_messages(size: int, score: int) -> None:
    result = check_size(subject(attachment=b"x" * size))
    assert result.score == score
    assert result.data["attachmentBytes"] == size
    assert result.data["messageBytes"] > size * 4 / 3
