"""The pictures of the README can be drawn again, are small, and are shown."""

from pathlib import Path
from typing import Final

from playwright.sync_api import Browser

from tests.browser.screenshots import IMAGES, NAMES, draw
from tests.documents.blocks import ROOT
from tests.end_to_end.daemon import RunningDaemon

MAX_BYTES: Final = 150_000  # of all together: they are fetched with the repository


def test_they_are_drawn(pages_daemon: RunningDaemon, browser: Browser, tmp_path: Path) -> None:
    draw(pages_daemon, browser, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(NAMES)


def test_they_are_small_and_shown() -> None:
    page = (ROOT / "README.md").read_text()
    assert sum((IMAGES / name).stat().st_size for name in NAMES) < MAX_BYTES
    for name in NAMES:
        assert f"](docs/images/{name})" in page
