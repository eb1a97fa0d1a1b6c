"""What it costs to find mail that may be sent, in a long queue beside a short one."""

import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from statistics import median
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.task import react

from bench.rounds import Verdict
from bench.servers import temporary_dir
from mailsacd.core.relay import Rooms
from mailsacd.data import open_data
from mailsacd.settings import ServerSettings, Settings
from mailsacd.store.pool import Database
from mailsacd.store.relay_claims import Turns, claim_lines, is_any_ready, ready_due

GOAL: Final = 2.0
"""A claim in the long queue takes at most so many times what it takes in the short one."""

_SHORT: Final = 100
_CLAIMS: Final = 30
_LINES: Final = 3
_MESSAGES: Final = 1
_ROOMS: Final = Rooms(
    all=_LINES, each_domain=_LINES, of_domains={}, each_account=_LINES, of_accounts={}
)


def measure_claims(rows: int) -> list[Verdict]:
    """Compare the median claim of 3 lines in a queue of ``rows`` with that in one of 100."""
    figures: dict[tuple[int, bool], float] = {}

    async def measured(reactor: Any) -> None:
        with temporary_dir("claims") as home:
            async with AsyncExitStack() as closing:
                settings = Settings(server=ServerSettings(data_dir=str(home / "data")))
                data = await open_data(settings, closing, reactor)
                for count in (_SHORT, rows):
                    for is_one_domain in (True, False):
                        domains = 1 if is_one_domain else count
                        figures[count, is_one_domain] = await _claim_ms(
                            data.database, count, domains
                        )

    try:
        react(lambda reactor: Deferred.fromCoroutine(measured(reactor)))
    except SystemExit as e:
        if e.code:
            raise
    return [_verdict(figures, rows, is_one_domain=each) for each in (True, False)]


async def _claim_ms(database: Database, count: int, domains: int) -> float:
    await database.run("truncate outgoing_message cascade")
    await _fill(database, count, domains)
    turns, taken_ms = Turns(account="", domains={}), []
    for _ in range(_CLAIMS):
        began = time.perf_counter()
        now = datetime.now(UTC)
        await ready_due(database, now)
        await is_any_ready(database)
        taken = await claim_lines(database, now, _ROOMS, turns, lease_s=600, messages=_MESSAGES)
        taken_ms.append((time.perf_counter() - began) * 1000)
        turns = Turns(account="", domains={"bench": max(one.claim.domain for one in taken)})
    return median(taken_ms)


async def _fill(database: Database, count: int, domains: int) -> None:
    await database.run(
        """insert into outgoing_message (id, account, origin, reverse_path, header_from, subject,
               message_id, size, body)
           select 'm' || lpad(n::text, 9, '0'), 'bench', 'api', 'a@b.example', 'a@b.example', '',
               n || '@b.example', 1, 'x'
           from generate_series(1, %s) n""",
        (count,),
    )
    await database.run(
        """insert into outgoing_recipient (message_id, place, account, address, domain)
           select 'm' || lpad(n::text, 9, '0'), 0, 'bench', n || '@d' || n %% %s || '.example',
               'd' || n %% %s || '.example'
           from generate_series(1, %s) n""",
        (domains, domains, count),
    )
    await database.run("analyze outgoing_recipient")


def _verdict(figures: dict[tuple[int, bool], float], rows: int, *, is_one_domain: bool) -> Verdict:
    short, long = figures[_SHORT, is_one_domain], figures[rows, is_one_domain]
    whom = "one domain" if is_one_domain else "as many domains"
    return Verdict(
        what=f"a claim in a queue of {rows:,} rows for {whom}, beside {_SHORT}",
        figure=f"{long:.1f} ms, {short:.1f} ms: {long / short:.2f}",
        wanted=f"at most {GOAL}",
        met=long / short <= GOAL,
    )
