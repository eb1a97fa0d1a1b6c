"""What follows from a push to those who listen: it counts, and is recorded."""

from collections.abc import Sequence

from mailsacd.core.activity import PUSHED
from mailsacd.core.trace import PUSH as PUSH_STEP
from mailsacd.mail.limits.usage import Usage
from mailsacd.mail.records.activity import Activity
from mailsacd.mail.records.tracing import Tracing
from mailsacd.store.usage import PUSH


class Pushes:
    """Counts, records and traces pushes to WebSockets and event streams."""

    def __init__(self, usage: Usage, activity: Activity, tracing: Tracing) -> None:
        self._usage = usage
        self._activity = activity
        self._tracing = tracing

    def pushed(self, inbox: str, message_id: str, accounts: Sequence[str | None]) -> None:
        """A message was pushed to listeners of these ``accounts`` (None: who has no key).

        The first push of a message is free, for each account.
        """
        for account in set(accounts):
            if account is None:
                continue
            if (more := accounts.count(account) - 1) > 0:
                self._usage.count(account, PUSH, more)
            self._activity.record(PUSHED, account=account, subject=inbox, detail=message_id)
        if self._tracing.followed:
            names = (inbox, message_id.rpartition("-")[0])
            detail = f"{message_id} in {inbox} to {len(accounts)} listeners"
            self._tracing.step(names, PUSH_STEP, detail)
