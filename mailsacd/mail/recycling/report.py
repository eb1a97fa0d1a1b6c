"""Tells what the recycler removed: each account of its own mail, the operator of the rest."""

from typing import Final

from twisted.logger import Logger

from mailsacd.core.activity import RECYCLED, STORAGE_FULL
from mailsacd.core.figures import Figures
from mailsacd.mail.records.activity import Activity
from mailsacd.settings import StorageSettings
from mailsacd.store.counts import Counts
from mailsacd.store.recycling import Excess

RECORD_EVERY_S: Final = 60.0
WARN_EVERY_S: Final = 3_600.0

_PUBLIC: Final = "public mail"

_log = Logger()


class Report:
    """Is told of a step, and then whether the step was `done` or `undone`.

    What public mail was removed is recorded every minute: a flood is not to fill the record.
    """

    def __init__(self, activity: Activity, settings: StorageSettings) -> None:
        self._activity = activity
        self._settings = settings
        self._step: dict[tuple[str, str], int] = {}
        self._of_accounts: list[tuple[Excess, int]] = []
        self._public: dict[str, int] = {}
        self._recorded_s = 0.0
        self._full: Counts | None = None
        self._warned_s: float | None = None
        self.declare(Figures())

    def declare(self, figures: Figures) -> None:
        """Have ``figures`` tell how much was removed, and why."""
        self._removed = {
            why: figures.counter("mailsacd_recycled_total", "Messages removed, and why", why=why)
            for why in ("per-inbox", "age", "room", "account")
        }

    def beyond(self, count: int) -> None:
        """So many public messages were more than their inboxes have."""
        self._count("per-inbox", f"more than {self._settings.public_per_inbox} in an inbox", count)

    def too_old(self, count: int) -> None:
        """So many public messages were too old."""
        self._count("age", f"older than {self._settings.public_days} days", count)

    def for_room(self, count: int) -> None:
        """So many public messages went because there was too much in all."""
        self._count("room", "the oldest, to make room", count)

    def excess(self, excess: Excess, count: int) -> None:
        """So many messages of an account were beyond its limit."""
        if count:
            self._of_accounts.append((excess, count))

    def is_full(self, everything: Counts) -> None:
        """There is too much in all, though nothing public is left."""
        self._full = everything

    def has_room(self) -> None:
        """There is no more than there may be."""
        self._full = self._warned_s = None

    def done(self, now_s: float) -> None:
        """What the step did is committed."""
        for (kind, why), count in self._step.items():
            self._removed[kind].add(count)
            self._public[why] = self._public.get(why, 0) + count
        for excess, count in self._of_accounts:
            self._removed["account"].add(count)
            detail = f"{count} of the oldest, beyond the limit of {excess.limit} messages"
            self._activity.record(
                RECYCLED, account=excess.account, subject=excess.account, detail=detail
            )
        self.undone()
        if now_s - self._recorded_s >= RECORD_EVERY_S:
            self._recorded_s = now_s
            self.record()
        self._warn(now_s)

    def undone(self) -> None:
        """The step had no effect."""
        self._step = {}
        self._of_accounts = []

    def record(self) -> None:
        """Record what public mail was removed since the last time."""
        removed, self._public = self._public, {}
        for why, count in removed.items():
            self._activity.record(RECYCLED, account=None, subject=_PUBLIC, detail=f"{count} {why}")

    def _count(self, kind: str, why: str, count: int) -> None:
        if count:
            self._step[kind, why] = self._step.get((kind, why), 0) + count

    def _warn(self, now_s: float) -> None:
        everything, warned_s = self._full, self._warned_s
        if everything is None or (warned_s is not None and now_s - warned_s < WARN_EVERY_S):
            return
        self._warned_s = now_s
        detail = f"{everything.held} messages of {everything.bytes} bytes, all of accounts"
        self._activity.record(STORAGE_FULL, account=None, subject="storage", detail=detail)
        _log.warn("storage is full, no public mail is kept: {detail}", detail=detail)
