"""A User-Agent in a few words."""

import pytest

from mailsacd.core.user_agent import MAX_CHARACTERS, short_agent

MOZILLA = "Mozilla/5.0"


@pytest.mark.parametrize(
    ("field", "short"),
    [
        (
            f"{MOZILLA} (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
            "Firefox 128 on Linux",
        ),
        (
            f"{MOZILLA} (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0",
            "Edge 126 on Windows",
        ),
        (
            f"{MOZILLA} (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/126.0.0.0 Mobile Safari/537.36",
            "Chrome 126 on Android",
        ),
        (
            f"{MOZILLA} (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
            "(KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
            "Safari 17 on iPhone",
        ),
        (
            f"{MOZILLA} (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 "
            "(KHTML, like Gecko) Version/17.5 Safari/605.1.15",
            "Safari 17 on macOS",
        ),
        (f"{MOZILLA} Chrome/9", "Chrome 9"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("python-requests/2.32.3 something", "python-requests/2.32.3"),
        ("<script>alert(1)</script>", ""),
        ("\x00\r\n", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_the_program_and_its_system(field: str, short: str) -> None:
    assert short_agent(field) == short


def test_it_is_short_whatever_is_sent() -> None:
    for field in ("x" * 100_000, "Chrome/" + "1" * 100_000, ("Version/1" + "." * 60) * 1_000):
        assert len(short_agent(field)) <= MAX_CHARACTERS
