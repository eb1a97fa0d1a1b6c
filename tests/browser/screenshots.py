"""Draws the pictures of the README: `python -m tests.browser.screenshots` writes docs/images."""

import os
import shutil
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, sync_playwright

from tests.browser.sample_mail import sample_mail
from tests.browser.visitor import visiting
from tests.data_directory import open_directory
from tests.end_to_end.daemon import RunningDaemon
from tests.web.client import Client

IMAGES: Final = Path(__file__).parents[2] / "docs" / "images"
ADDRESS: Final = "anna@harbour.example"
NAMES: Final = ("inbox.png", "message.png")
_WIDTH: Final = 880
_HEIGHTS: Final = (470, 670)


def draw(daemon: RunningDaemon, browser: Browser, into: Path) -> None:
    """Draw an inbox and a message of a new account of ``daemon``, as NAMES in ``into``."""
    with Client(daemon) as client:
        client.sign_up("anna")
        client.get("/")  # where one is greeted
        newest = _fill(client)
        inbox = f"/inbox/{ADDRESS}"
        with visiting(browser, client) as page:
            for name, url, height in zip(
                NAMES, (inbox, f"{inbox}/{newest}"), _HEIGHTS, strict=True
            ):
                page.set_viewport_size({"width": _WIDTH, "height": height})
                page.goto(url)
                page.wait_for_load_state("networkidle")
                page.screenshot(path=into / name)


def _fill(client: Client) -> str:
    """Have some mail in the inbox, some of it read; the id of the newest."""
    messages = f"/addresses/{client.reserve(ADDRESS)}/messages"
    with client.daemon.smtp() as smtp:
        for mail in sample_mail(ADDRESS):
            smtp.send_message(mail)
    ids = [str(each["_id"]) for each in client.call("GET", messages)]
    for each in ids[2:5]:
        client.call("PUT", f"{messages}/{each}/read")
    client.call("PUT", f"{messages}/{ids[2]}/star")
    client.call("PUT", f"{messages}/{ids[3]}/labels/books")
    return ids[0]


def main() -> None:
    """Write the pictures into docs/images."""
    executable = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with open_directory() as directory, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        daemon = RunningDaemon(directory / "data", ("--set", "accounts.sign_up=open")).start()
        try:
            draw(daemon, browser, IMAGES)
        finally:
            daemon.stop()
            browser.close()


if __name__ == "__main__":
    main()
