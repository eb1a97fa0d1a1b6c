"""Somebody at a browser, with the session of a client who has signed in."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page

from tests.web.client import Client


@contextmanager
def visiting(browser: Browser, client: Client, **options: Any) -> Iterator[Page]:
    """A page of a new context with the cookies of ``client``; no script of it may fail."""
    with browser.new_context(base_url=client.base, **options) as context:
        for cookie in client.session.cookies:
            context.add_cookies(
                [{"name": cookie.name, "value": cookie.value or "", "url": client.base}]
            )
        page = context.new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        yield page
        assert faults == []
