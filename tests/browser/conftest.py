"""A real browser. Chromium has to be installed: `make test` sees to it."""

import json
import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.accessibility import violations

Axe = Callable[[Page], None]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    executable = os.environ.get("CHROMIUM") or shutil.which("chromium")
    assert executable, "install chromium, or set CHROMIUM to where it is"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def axe() -> Axe:
    """Fails with what keeps people from using the page that is shown, in either theme."""

    def check(page: Page) -> None:
        found = violations(page)
        assert not found, json.dumps(found, indent=1)

    return check
