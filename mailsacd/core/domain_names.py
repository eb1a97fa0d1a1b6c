"""Domains that a setting names: each by itself, or all below one."""

from collections.abc import Iterable
from typing import Final

from mailsacd.core.address import normal_domain
from mailsacd.core.errors import BadAddressError, ConfigurationError

EVERY_DOMAIN: Final = "*"
REGISTERED: Final = "@registered"
"""What accounts have added, whatever it is."""


class DomainNames:
    """The domains that ``message.accepted_domains`` names, and the operator's hosting domain.

    ``example.com`` is a domain, ``*.ci.example`` is every one below it. EVERY_DOMAIN and REGISTERED
    name none. ``names`` has those that are named exactly, in normal form, each once.
    """

    def __init__(
        self,
        entries: Iterable[str],
        hosting: str = "",
        *,
        setting: str = "message.accepted_domains",
    ) -> None:
        """With ``hosting``, a domain, that is among them, and every one below it. The ``setting``
        is named where something is wrong.

        Raises ConfigurationError for what is no domain.
        """
        named = [entry for entry in entries if entry not in {EVERY_DOMAIN, REGISTERED}]
        if hosting:
            named += [hosting, f"*.{hosting}"]
        try:
            names = [normal_domain(name) for name in named if not name.startswith("*.")]
            parents = [normal_domain(name[2:]) for name in named if name.startswith("*.")]
        except BadAddressError as e:
            raise ConfigurationError(f"{setting}: {e.public}") from e
        self.names = tuple(dict.fromkeys(names))
        self._names = frozenset(names)
        self._parents = frozenset(parents)

    def __contains__(self, domain: str) -> bool:
        """Tell whether ``domain``, in normal form, is one of them."""
        if domain in self._names:
            return True
        parent = domain
        while self._parents and parent:
            parent = parent.partition(".")[2]
            if parent in self._parents:
                return True
        return False
