"""How much of something callers have under way, so that nobody takes all the places for it."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from mailsacd.core.actor import Actor
from mailsacd.core.errors import OverloadedError
from mailsacd.core.peer import network_of


class CallerPlaces:
    """The places of a process for ``what``, such as searches."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._of_accounts: Counter[str] = Counter()
        self._of_networks: Counter[str] = Counter()

    @contextmanager
    def taken(
        self, actor: Actor, *, most: int, most_without_account: int, most_of_caller: int
    ) -> Iterator[None]:
        """Have ``actor`` take a place as long as the context lasts.

        Raises OverloadedError when ``most`` are taken, ``most_without_account`` by callers without
        one, whatever addresses they come from, or ``most_of_caller`` by the account, or by those
        without one of one network.
        """
        accounts, networks = self._of_accounts, self._of_networks
        theirs = networks if actor.account is None else accounts
        name = network_of(actor.peer) if actor.account is None else actor.account
        if (
            theirs[name] >= most_of_caller
            or (theirs is networks and networks.total() >= most_without_account)
            or accounts.total() + networks.total() >= most
        ):
            raise OverloadedError(f"Too many {self._what} are under way, try again later")
        theirs[name] += 1
        try:
            yield
        finally:
            theirs[name] -= 1
            if not theirs[name]:
                del theirs[name]
