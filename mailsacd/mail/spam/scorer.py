"""What a scorer is: whoever tells how likely a message is spam."""

from typing import Protocol

from mailsacd.core.spam import ScoredMail, SpamReport


class Scorer(Protocol):
    """One of rspamd, SpamAssassin or the classifier. One is in use at a time."""

    @property
    def is_personal(self) -> bool:
        """Whether the same message may be judged otherwise for another account."""

    def is_ready(self, *, owned: bool) -> bool:
        """Return whether it can say anything now, of a message that is somebody's or nobody's.

        It is asked for each message that is stored, so it answers out of memory.
        """

    async def prepared(self, mail: ScoredMail) -> ScoredMail:
        """Return ``mail`` with what is found out once for all accounts that it is scored for.

        Raises OverloadedError.
        """

    async def score(self, mail: ScoredMail) -> SpamReport | None:
        """Return what it says of ``mail``; None: it knows too little.

        Raises UnavailableError when it does not answer in time, or rests.
        """
