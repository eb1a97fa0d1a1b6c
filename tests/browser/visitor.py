"""Somebody at a browser, with the session of a client."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

from tests.web.client import Client


@contextmanager
def visiting(
    browser: Browser, client: Client, *, quiet: bool = False, **options: Any
) -> Iterator[Page]:
    """A page of a new context with the cookies of ``client``; no script of it may fail.

    A ``quiet`` one says nothing at all, as it would of what its policy keeps out.
    """
    with browser.new_context(base_url=client.base, **options) as context:
        bring_session(context, client)
        page = context.new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        if quiet:
            page.on("console", lambda told: faults.append(told.text))
        yield page
        assert faults == []


def bring_session(context: BrowserContext, client: Client) -> None:
    """Sign in as who ``client`` is."""
    for each in client.session.cookies:
        context.add_cookies([{"name": each.name, "value": each.value or "", "url": client.base}])
