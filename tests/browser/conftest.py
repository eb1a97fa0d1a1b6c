"""A real browser. Chromium has to be installed: `make test` sees to it."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from typing import Final

import pytest
from playwright.sync_api import Browser, BrowserType, Page, sync_playwright

from tests.browser.accessibility import violations

Axe = Callable[[Page], None]

# A server can be found by a name that is not this machine's own: browsers trust those of localhost
_ARGUMENTS: Final = ["--no-sandbox", "--host-resolver-rules=MAP team.example 127.0.0.1"]


def launched(kind: BrowserType, *arguments: str) -> Browser:
    """A chromium of its own."""
    executable = os.environ.get("CHROMIUM") or shutil.which("chromium")
    assert executable, "install chromium, or set CHROMIUM to where it is"
    return kind.launch(executable_path=executable, args=[*_ARGUMENTS, *arguments])


@pytest.fixture(scope="package")  # not longer: until it ends no other test can run an asyncio loop
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = launched(playwright.chromium)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def axe() -> Axe:
    """Fails with what keeps people from using the page that is shown, in either theme."""

    def check(page: Page) -> None:
        found = violations(page)
        assert not found, json.dumps(found, indent=1)

    return check
