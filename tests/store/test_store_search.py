"""Searching an account with more mail than is looked at one by one: each way finds the same."""

import json
from dataclasses import asdict, replace
from functools import partial
from typing import Any

import pytest
import pytest_twisted

from mailsacd.core.search import Terms
from mailsacd.store import inbox
from mailsacd.store import search as store
from mailsacd.store.pool import Database
from mailsacd.store.search import RARE, RECENT, search
from mailsacd.store.sql import Statement
from mailsacd.store.transaction import Transaction

MESSAGES = RARE + RECENT + 1_000
OLD = RARE + 500  # so many are older than all that is recent, and too many for the index


async def _fill(database: Database) -> None:
    """Ids rise with their numbers; every account has the same mail."""
    await database.run(
        """insert into message
               (inbox, id, raw_id, domain, received, facts, owner, private,
                subject, sender, recipients)
           select 'box@' || account, account || lpad(n::text, 6, '0') || '-0', '', account, now(),
               '{"_id":' || to_json(account || lpad(n::text, 6, '0') || '-0'), account, true,
               'common ' || case when n <= %s then 'elderly ' else '' end
                   || case n when 5 then 'needle' when 7 then '~~' else '' end,
               'sender-' || n || '@x.example', 'box@' || account
                   || case n when 9 then ' zq' when 11 then 'qz qy' when 13 then 'é' else '' end
           from unnest(array['ann', 'bob']) account, generate_series(1, %s) n""",
        (OLD, MESSAGES),
    )
    await database.run("analyze message")


async def _found(database: Database, terms: Terms, account: str = "ann", limit: int = 3) -> Any:
    found = json.loads(await search(database, account, terms, limit=limit))
    assert all(message["_id"].startswith(account) for message in found)
    return [int(message["_id"][3:9]) for message in found]


@pytest_twisted.ensureDeferred
async def test_common_rare_and_neither_are_found_newest_first(database: Database) -> None:
    await _fill(database)
    cases = [
        (Terms(anywhere="common"), [MESSAGES, MESSAGES - 1, MESSAGES - 2]),
        (Terms(anywhere="needle"), [5]),
        (Terms(anywhere="sender-123@"), [123]),
        (Terms(anywhere="elderly"), [OLD, OLD - 1, OLD - 2]),
        (Terms(anywhere="~~"), [7]),
        (Terms(anywhere="nowhere to be found"), []),
        (Terms(subject="elderly", sender="77@"), [RARE + 477, RARE + 377, RARE + 277]),
        (Terms(subject="needle", sender="sender-6@"), []),
        (Terms(anywhere="sender-77@x.example"), [77]),
        (Terms(anywhere="box@ann", sender="sender-78@x.example"), [78]),
        (Terms(anywhere="zq"), [9]),  # at the very end of what is indexed
        (Terms(anywhere="qz"), [11]),
        (Terms(anywhere="é"), [13]),
        (Terms(anywhere="zz"), []),
        (Terms(subject="needle", recipients="nn"), [5]),
        (Terms(subject="~~", sender="7@"), [7]),
        (Terms(read=True), []),
        (Terms(read=False), [MESSAGES, MESSAGES - 1, MESSAGES - 2]),
        (Terms(anywhere="needle", read=True), []),
    ]
    for terms, expected in cases:
        for _ in range(7):  # PostgreSQL plans a statement anew only the first five times
            assert await _found(database, terms) == expected, terms
    assert await _found(database, Terms(anywhere="needle"), "bob") == [5]
    assert await _found(database, Terms(anywhere="common"), "eve") == []


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
@pytest_twisted.ensureDeferred
async def test_a_search_by_the_index_reads_only_what_the_index_names(
    database: Database, mode: str
) -> None:
    await _fill(database)

    async def explain(transaction: Transaction) -> str:
        await transaction.run(f"set local plan_cache_mode = {mode}")
        return await _plan_of_rare(transaction, "explain", "needle")

    plan = await database.transaction(explain)
    assert "Bitmap Index Scan on message_search" in plan, plan
    assert "Seq Scan on message" not in plan, plan


@pytest_twisted.ensureDeferred
async def test_what_is_frequent_is_found_in_the_index_row_by_row_and_not_page_by_page(
    database: Database,
) -> None:
    await database.run(
        """insert into message
               (inbox, id, raw_id, domain, received, facts, owner, subject, sender, recipients)
           select 'box@ann', lpad(n::text, 6, '0'), '', 'ann', now(), repeat('x', 1500), 'ann',
               'frequent', '', '' from generate_series(1, 8000) n"""
    )
    params = {"viewer": "ann", **asdict(Terms(anywhere="frequent"))}

    async def explain(transaction: Transaction, *, has_room: bool) -> str:
        await transaction.run("set local work_mem = '64kB'")  # for the places of some 1,000 pages
        if has_room:
            await store._indexed(transaction, params=params, texts=[b"frequent"])
        return await _plan_of_rare(transaction, "explain analyze", "frequent")

    assert "lossy" in await database.transaction(partial(explain, has_room=False))
    assert "lossy" not in await database.transaction(partial(explain, has_room=True))


async def _plan_of_rare(transaction: Transaction, explain: str, word: str) -> str:
    given = {"viewer": "'ann'", "anywhere": f"'{word}'"}
    values = ", ".join(given.get(name, "null") for name in store._rare._names)
    await transaction.run(f"prepare tested as {store._rare.text}")
    rows = await transaction.fetch(f"{explain} execute tested ({values})")
    await transaction.run("deallocate tested")
    return "\n".join(row[0] for row in rows)


@pytest_twisted.ensureDeferred
async def test_what_is_filed_is_found_by_its_index_whatever_the_plan_was_made_for(
    database: Database,
) -> None:
    await _fill(database)
    await database.run(
        "update message set folder = case when id like '%99-0' then 'trash' else folder end,"
        " labels = case when id like '%77-0' then array['of May'] else labels end"
        " where owner = 'ann'"
    )
    await database.run("analyze message")
    cases = (
        (Terms(folder="trash"), inbox._FILED, "", MESSAGES - 1, "message_filed"),
        (Terms(label="of May"), "", inbox.WITH_LABEL, MESSAGES - 23, "message_labelled"),
    )
    for terms, in_folder, labelled, newest, index in cases:
        assert await _found(database, terms, limit=1) == [newest]
        assert await _found(database, replace(terms, read=True)) == []
        assert await _found(database, replace(terms, anywhere="nowhere")) == []
        statement = inbox._filed[in_folder, labelled]
        plan = await database.transaction(partial(_plan_of, statement=statement))
        assert index in plan, plan


async def _plan_of(transaction: Transaction, statement: Statement) -> str:
    """How it is run, whatever its parameters are."""
    given = {"limit": "9", "skip": "0", "before": "'~'"}
    values = ", ".join(given.get(name, "'ann'") for name in statement._names)
    await transaction.run("set local plan_cache_mode = force_generic_plan")
    await transaction.run(f"prepare tested as {statement.text}")
    rows = await transaction.fetch(f"explain execute tested ({values})")
    await transaction.run("deallocate tested")
    return "\n".join(row[0] for row in rows)
