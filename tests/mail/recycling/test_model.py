"""Whatever is stored, starred, reserved and limited: what is there is what the rules say."""

from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

import pytest_twisted
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import ensureDeferred
from twisted.internet.threads import blockingCallFromThread, deferToThread

from mailsacd.core.actor import ANYONE, Actor
from mailsacd.core.errors import ForbiddenError, NotFoundError, UnauthenticatedError
from mailsacd.mail.reading.mailbox import Mailbox
from mailsacd.mail.reading.marks import Marks
from mailsacd.store.ownership import adopt_messages
from tests.lanes import LANES
from tests.mail.access import access_control
from tests.mail.owners import reserve
from tests.mail.property import add_accounts
from tests.mail.recycling.store_room import StoreRoom

reactor: Any = the_reactor

BOTH_FORMS = True
ACCOUNTS = ("ann", "bob")
INBOXES = ("a@public.example", "b@public.example", "c@public.example")
EMPTY = (
    "delete from message; delete from raw_message; delete from address; delete from account;"
    " delete from mail_count; delete from count_change"
)

some_inbox = st.sampled_from(INBOXES)
some_account = st.sampled_from(ACCOUNTS)


def run(work: Awaitable[Any]) -> Any:
    """Wait in a thread for ``work``, which the reactor does."""

    async def whole() -> Any:
        return await work

    return blockingCallFromThread(reactor, lambda: ensureDeferred(whole()))


@dataclass
class Row:
    """A message as the model has it."""

    id: str
    inbox: str
    days: int
    owner: str | None
    saved_by: str | None

    @property
    def holder(self) -> str | None:
        """For whom it counts; None: it is public."""
        return self.saved_by or self.owner


class Storage(RuleBasedStateMachine):
    """The store beside a list of rows."""

    room: ClassVar[StoreRoom]
    marks: ClassVar[Marks]
    mailbox: ClassVar[Mailbox]

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Row] = []
        self.owners: dict[str, str] = {}
        self.per_inbox, self.messages = 3, 4
        run(self.room.database.run(EMPTY))
        run(add_accounts(self.room.database, *ACCOUNTS))
        run(self.room.limit(per_inbox=3, messages=4))

    # The rules

    def kept(self) -> list[Row]:
        """The rows that are within the limits."""
        found: list[Row] = []
        for inbox in INBOXES:
            public = [row for row in self.rows if row.inbox == inbox and row.holder is None]
            found += [row for row in newest(public, self.per_inbox) if row.days <= 4]
        for account in ACCOUNTS:
            starred = [row for row in self.rows if row.saved_by == account]
            others = [row for row in self.rows if row.holder == account and not row.saved_by]
            found += newest(starred, self.messages)
            found += newest(others, max(self.messages - len(starred), 0))
        return sorted(found, key=lambda row: row.id)

    def is_there_for(self, row: Row, account: str | None) -> bool:
        """Whether the account may see a row that is kept."""
        if row.saved_by is not None:
            return row.saved_by == account
        return row.owner is None or row.owner == account

    def may(self, row: Row, account: str | None) -> bool:
        """Whether the account may do something to a row that is kept."""
        is_open = self.owners.get(row.inbox) in {None, account}
        return self.is_there_for(row, account) and (is_open or row.holder == account)

    def remove_beyond(self, inbox: str) -> None:
        """What is beyond in an inbox goes, since a message leaves public mail, or comes back."""
        public = [row for row in self.rows if row.inbox == inbox and row.holder is None]
        beyond = {row.id for row in public} - {row.id for row in newest(public, self.per_inbox)}
        self.rows = [row for row in self.rows if row.id not in beyond]

    # What is done

    @rule(
        inbox=some_inbox,
        days=st.sampled_from((0, 0, 3, 5)),
        saver=st.none() | st.none() | some_account,
        count=st.integers(1, 4),
    )
    def store(self, inbox: str, days: int, saver: str | None, count: int) -> None:
        """Mail comes, some of it some days ago, some of it starred as it comes."""
        ago = timedelta(days=days)
        for id_ in run(self.room.store(inbox, count=count, ago=ago, saved_by=saver)):
            self.rows.append(Row(id_, inbox, days, self.owners.get(inbox), saver))
        self.rows.sort(key=lambda row: row.id)

    @rule(place=st.integers(0, 30), account=some_account)
    def star(self, place: int, account: str) -> None:
        """An account stars a message, or takes the star off."""
        if not self.rows:
            return
        row = self.rows[place % len(self.rows)]
        may = row in self.kept() and self.may(row, account)
        if row.holder is None:
            self.remove_beyond(row.inbox)
        actor = Actor(account=account)
        with suppress(NotFoundError, ForbiddenError):
            run(self.marks.toggle_star(actor, row.inbox, row.id))
            assert may
            row.saved_by = None if row.saved_by else account
            if row.saved_by is None:
                self.remove_beyond(row.inbox)
            return
        assert not may

    @rule(place=st.integers(0, 30), account=st.none() | some_account)
    def delete(self, place: int, account: str | None) -> None:
        """Somebody deletes a message, where that is allowed."""
        if not self.rows:
            return
        row = self.rows[place % len(self.rows)]
        may = row in self.kept() and self.may(row, account)
        if row.holder is None:
            self.remove_beyond(row.inbox)
        actor = Actor(account=account) if account else ANYONE
        with suppress(NotFoundError, ForbiddenError, UnauthenticatedError):
            run(self.mailbox.delete(actor, row.inbox, row.id))
            assert may
            self.rows.remove(row)
            return
        assert not may

    @rule(inbox=some_inbox, account=some_account)
    def reserve(self, inbox: str, account: str) -> None:
        """An address is reserved, with its mail."""
        if inbox in self.owners:
            return
        kept = self.kept()
        run(reserve(self.room.database, account, inbox))
        run(adopt_messages(self.room.database, inbox, account))
        self.owners[inbox] = account
        public = [row for row in self.rows if row.inbox == inbox and row.holder is None]
        self.rows = [row for row in self.rows if row not in public or row in kept]
        for row in self.rows:
            if row.inbox == inbox and row.owner is None and row.saved_by in {None, account}:
                row.owner = account

    @rule(inbox=some_inbox)
    def release(self, inbox: str) -> None:
        """An address is given up; its mail stays the account's."""
        if self.owners.pop(inbox, None):
            run(self.room.database.run("delete from address where email = %s", (inbox,)))

    @rule(
        per_inbox=st.sampled_from((0, 1, 2, 3, 6, 20_000)),
        messages=st.sampled_from((0, 1, 2, 4, 9, 10**9)),
    )
    def limit(self, per_inbox: int, messages: int) -> None:
        """The operator changes the limits."""
        self.per_inbox, self.messages = per_inbox, messages
        run(self.room.limit(per_inbox=per_inbox, messages=messages))

    @rule()
    def recycle(self) -> None:
        """What is beyond is removed, by accounts that got mail and by those that did not."""
        run(self.room.add_up())
        run(self.room.recycle())
        self.rows = self.kept()
        assert run(self.room.stored()) == [row.id for row in self.rows]

    @invariant()
    def what_is_there_is_what_is_kept(self) -> None:
        """In every list and count, whoever asks."""
        kept = self.kept()
        for inbox in INBOXES:
            for viewer in (None, *ACCOUNTS):
                shown = [r.id for r in kept if r.inbox == inbox and self.is_there_for(r, viewer)]
                assert run(self.room.listed(inbox, viewer)) == shown
        for account in ACCOUNTS:
            held = [row.id for row in kept if row.holder == account]
            assert run(self.room.held(account)) == held


def newest(rows: list[Row], count: int) -> list[Row]:
    """The last of ``rows``, which are in order."""
    return rows[max(len(rows) - count, 0) :]


@pytest_twisted.ensureDeferred
async def test_what_is_there_is_what_the_rules_say_whatever_is_done(room: StoreRoom) -> None:
    control = access_control(room.database)
    Storage.room = room
    Storage.marks = Marks(room.database, control)
    Storage.mailbox = Mailbox(room.database, control, LANES.readers)
    bounds = settings(
        max_examples=25, stateful_step_count=25, deadline=None, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    await deferToThread(lambda: run_state_machine_as_test(Storage, settings=bounds))
