"""How many lines of outgoing mail may be under way for whom, so that whoever is slow keeps to
himself: so many in all, for one domain and for one account. A domain that did not answer the last
time has one."""

from collections import Counter, OrderedDict
from typing import Final

from mailsacd.core.relay import Rooms
from mailsacd.mail.sending.relay import Line

MAX_REMEMBERED: Final = 1_000
"""Of so many domains that did not answer is it remembered."""


class RelayPlaces:
    """Bounds what one process sends at a time. An account has half of all places at most."""

    def __init__(self, at_a_time: int, per_domain: int) -> None:
        self._at_a_time = at_a_time
        self._per_domain = per_domain
        self._per_account = max(at_a_time // 2, 1)
        self._under_way = 0
        self._domains: Counter[str] = Counter()
        self._accounts: Counter[str] = Counter()
        self._silent: OrderedDict[str, None] = OrderedDict()

    @property
    def are_taken(self) -> bool:
        """Whether no place is free."""
        return self._under_way >= self._at_a_time

    def rooms(self) -> Rooms:
        """Return how many lines may begin now."""
        domains = {name: self._per_domain - n for name, n in self._domains.items()}
        domains |= {name: 1 - self._domains[name] for name in self._silent}
        return Rooms(
            all=self._at_a_time - self._under_way,
            each_domain=self._per_domain,
            of_domains=domains,
            each_account=self._per_account,
            of_accounts={name: self._per_account - n for name, n in self._accounts.items()},
        )

    def enter(self, line: Line) -> None:
        """Count ``line`` as under way."""
        self._under_way += 1
        self._domains[line.domain] += 1
        self._accounts[line.account] += 1

    def leave(self, line: Line, *, answered: bool) -> None:
        """Count ``line`` as under way no longer. Its domain has ``answered`` at all, or not."""
        self._silent.pop(line.domain, None)
        if not answered:
            self._silent[line.domain] = None
            if len(self._silent) > MAX_REMEMBERED:
                self._silent.popitem(last=False)
        self._under_way -= 1
        for counter, name in ((self._domains, line.domain), (self._accounts, line.account)):
            counter[name] -= 1
            if not counter[name]:
                del counter[name]
