"""`mailsacd spam`: what the classifier has learned, and what a scorer says of a message."""

import mailbox
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from mailsacd.cli.command import Common, command
from mailsacd.core.errors import ConfigurationError, NotFoundError
from mailsacd.core.spam import SpamReport
from mailsacd.data import Data
from mailsacd.mail.spam.bayes import LEAST
from mailsacd.mail.spam.choosing import make_scorer
from mailsacd.mail.spam.learning import added_up
from mailsacd.mail.spam.scoring import scored_mail
from mailsacd.outbound.dns import Resolver
from mailsacd.outbound.guard import Guard
from mailsacd.settings import Settings
from mailsacd.store.accounts import find_account
from mailsacd.store.spam_tokens import Seen, add_tokens, count_learned, forget_tokens

_AT_ONCE: Final = 200
"""So many samples are learned in one statement."""

_account = click.option("--account", metavar="NAME", help="For this account's mail alone.")
_files = click.Path(exists=True, path_type=Path)


@click.group()
def spam() -> None:
    """Teach the classifier what is spam, and see what a scorer says of a message."""


@spam.command()
@click.argument("kind", type=click.Choice(["spam", "ham"]))
@click.argument("samples", nargs=-1, required=True, type=_files)
@_account
@command
def learn(common: Common, kind: str, samples: tuple[Path, ...], account: str | None) -> None:
    """Learn SAMPLES, as spam or as ham, which is all other mail.

    They are messages, files of mbox, and directories of these. What is learned twice counts twice.
    """

    async def work(data: Data, _: Settings) -> tuple[int, Seen]:
        await _check(data, account)
        count, messages = 0, _messages(samples)
        while batch := list(islice(messages, _AT_ONCE)):
            learned = added_up(batch, is_spam=kind == "spam")
            await add_tokens(data.database, account, learned)
            count += len(batch)
        return count, await count_learned(data.database, account)

    count, known = common.run(work)
    common.show(
        {"learned": count, "as": kind, "account": account, **_json(known)},
        f"learned {count} as {kind}. {_text(known)}",
    )


@spam.command()
@_account
@command
def show(common: Common, account: str | None) -> None:
    """Show how many messages have been learned."""

    async def work(data: Data, _: Settings) -> Seen:
        await _check(data, account)
        return await count_learned(data.database, account)

    known = common.run(work)
    common.show({"account": account, **_json(known)}, _text(known))


@spam.command()
@_account
@command
def forget(common: Common, account: str | None) -> None:
    """Forget what was learned of samples or, with --account, of what that account has moved."""

    async def work(data: Data, _: Settings) -> None:
        await _check(data, account)
        await forget_tokens(data.database, account)

    common.run(work)
    common.show({"account": account, "forgotten": True}, "forgotten")


@spam.command()
@click.argument("message", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_account
@command
def score(common: Common, message: Path, account: str | None) -> None:
    """Show what the scorer of the settings says of MESSAGE, a file."""

    content = message.read_bytes()

    async def work(data: Data, settings: Settings) -> SpamReport | None:
        look_up = Guard(Resolver(settings.dns, data.reactor), ()).look_up
        scorer = make_scorer(
            settings.spam, data.database, data.lanes.checks, look_up, reactor=data.reactor
        )
        if scorer is None:
            raise ConfigurationError("spam.scorer is off")
        return await scorer.score(scored_mail(content, (), account))

    report = common.run(work)
    common.show(msgspec.to_builtins(report), _report_text(report))


async def _check(data: Data, account: str | None) -> None:
    if account is not None and await find_account(data.database, account) is None:
        raise NotFoundError(f"There is no account {account}")


def _messages(paths: Iterable[Path]) -> Iterator[bytes]:
    for path in paths:
        if path.is_dir():
            yield from _messages(sorted(path.iterdir()))
        elif _is_mbox(path):
            box = mailbox.mbox(path, create=False)
            yield from (box.get_bytes(key) for key in box.iterkeys())
        else:
            yield path.read_bytes()


def _is_mbox(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(5) == b"From "


def _json(known: Seen) -> dict[str, Any]:
    return {"spam": known.spam, "ham": known.ham, "least": LEAST}


def _text(known: Seen) -> str:
    few = min(known.spam, known.ham) < LEAST
    then = f"; nothing is judged by less than {LEAST} of each" if few else ""
    return f"{known.spam} messages are known as spam, {known.ham} as ham{then}"


def _report_text(report: SpamReport | None) -> str:
    if report is None:
        return "too little is known to say anything"
    lines = [f"{reason.points:8.3f}  {reason.name}  {reason.text}" for reason in report.reasons]
    return "\n".join([f"{report.score:g} by {report.scorer}", *map(str.rstrip, lines)])
