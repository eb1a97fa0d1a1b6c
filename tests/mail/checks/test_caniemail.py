"""The file with caniemail.com's data: what is read of it, and files that are none."""

import json
from pathlib import Path
from typing import Any

import pytest

from mailsacd.core.errors import ConfigurationError
from mailsacd.mail.checks.caniemail import MAX_BYTES, read_client_support
from mailsacd.mail.checks.client_support import WELL_KNOWN
from mailsacd.mail.checks.clients import clients_check
from tests.mail.checks.subjects import subject

DATA: dict[str, Any] = {
    "api_version": "1.0.4",
    "last_update_date": "2025-09-09 18:08:06 +0000",
    "nicenames": {"family": {"gmail": "Gmail"}, "platform": {"ios": "iOS"}, "support": {}},
    "data": [
        {
            "slug": "html-video",
            "title": "<video> element",
            "stats": {
                "gmail": {"ios": {"2019-01": "y", "2025-07": "n #1"}, "web": {"2019-01": "a #2"}},
                "other": {"ios": {"2019-01": "u"}, "web": {}},
            },
            "notes": None,
        }
    ],
}


def read(path: Path, content: str | bytes) -> Any:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_client_support(str(path), setting="checks.caniemail_file")


def test_the_newest_version_of_a_client_counts(tmp_path: Path) -> None:
    found = read(tmp_path / "data.json", json.dumps(DATA))
    video = found.features["html-video"]
    assert (video.title, video.unsupported, video.partly, video.clients) == (
        "<video> element", ("Gmail (iOS)",), ("Gmail (web)",), 2,
    )  # fmt: skip
    assert found.source == "caniemail.com 2025-09-09"
    assert found.features["html-script"] == WELL_KNOWN.features["html-script"]
    (reason,) = clients_check(found)(subject(html="a<video>")).reasons
    assert reason.text == "Gmail (iOS) does not support <video> element"


def test_without_a_file_there_is_what_is_known_here() -> None:
    assert read_client_support("", setting="checks.caniemail_file") is WELL_KNOWN


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "no data of caniemail.com"),
        ("[]", "no data of caniemail.com"),
        ("{" * 100_000, "no data of caniemail.com"),
        (b"\xff", "no data of caniemail.com"),
        (json.dumps({**DATA, "data": [{"slug": 1}]}), "no data of caniemail.com"),
        (b" " * (MAX_BYTES + 1), f"more than {MAX_BYTES} bytes"),
    ],
    ids=["empty", "list", "nested", "bytes", "shape", "large"],
)
def test_a_file_that_is_none_is_named_with_the_setting(
    tmp_path: Path, content: str | bytes, words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words) as raised:
        read(tmp_path / "data.json", content)
    assert str(raised.value).startswith("checks.caniemail_file: ")
    assert "data.json" in str(raised.value)


def test_a_file_that_is_not_there_is_named_with_the_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        read_client_support(str(tmp_path / "none"), setting="checks.caniemail_file")
