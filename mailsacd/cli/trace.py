"""`mailsacd trace`: follows the mail for one recipient, from the connection to the push."""

import json
import signal
from functools import partial
from typing import Any, Final

import click
from twisted.internet.task import deferLater

from mailsacd.cli.command import Common, command, say
from mailsacd.core.token import iso_time, time_of
from mailsacd.core.trace import TraceStep
from mailsacd.data import Data
from mailsacd.mail.records.following import Following, past
from mailsacd.settings import Settings
from mailsacd.work.signals import on_signal

DEFAULT_S: Final = 600
LOOK_EVERY_S: Final = 0.3


@click.command()
@click.argument("address")
@click.option(
    "--for", "seconds", type=click.IntRange(0, 86_400), default=DEFAULT_S, show_default=True,
    help="Follow what comes for so many seconds; 0: tell only what was.",
)  # fmt: skip
@click.option(
    "--past", "messages", type=click.IntRange(0, 1_000), default=10, show_default=True,
    help="Tell of so many of the newest messages first.",
)  # fmt: skip
@command
def trace(common: Common, address: str, seconds: int, messages: int) -> None:
    """Follow the mail for ADDRESS: who connects, what is answered, stored, pushed and posted.

    Nothing of what is in the mail is shown. Ctrl-C ends it.
    """

    async def work(data: Data, _: Settings) -> None:
        following = await Following.of(data.database, address, reactor=data.reactor)
        for step in await past(data.database, following.inboxes, limit=messages):
            _print(common, step)
        if not seconds:
            return
        enough: list[bool] = []  # something in it: somebody has had enough
        for ending in (signal.SIGINT, signal.SIGTERM):
            on_signal(ending, partial(enough.append, True), data.reactor)
        await following.begin()
        say(f"following {address}")
        try:
            until_s = data.reactor.seconds() + seconds
            while data.reactor.seconds() < until_s and not enough:
                for step in await following.news():
                    _print(common, step)
                await deferLater(data.reactor, LOOK_EVERY_S)
        finally:
            await following.end()

    common.run(work)


def _print(common: Common, step: TraceStep) -> None:
    shown: dict[str, Any] = {
        "time": iso_time(time_of(step.id)),
        "session": step.session,
        "what": step.what,
        "detail": step.detail,
    }
    if common.as_json:
        print(json.dumps(shown, ensure_ascii=False), flush=True)
    else:
        session = f"[{step.session}] " if step.session else ""
        print(f"{shown['time']}  {session}{step.what:9}  {step.detail}", flush=True)
