"""Who is asking: turns credentials into an Actor. Edges pass the Actor on and decide nothing."""

from dataclasses import dataclass
from typing import Final

from mailsacd.core.errors import UnauthenticatedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Somebody who asks for something; ``account`` is None for a caller without credentials.

    ``login`` is who signed in: the account's own name or a team user's; with an API key it is
    None, for a key stands for the account but manages neither the account nor its keys.
    """

    account: str | None
    login: str | None = None
    team: bool = False

    @property
    def manages(self) -> bool:
        """Whether the actor may manage account, keys and domains' existence."""
        return self.login is not None and not self.team


ANYONE: Final = Actor(account=None)


class Authenticator:
    """Checks API keys. There are no accounts yet, so a key that is presented belongs to nobody."""

    async def authenticate(self, key: str) -> Actor:  # noqa: ARG002  every key is wrong
        """The actor that ``key`` belongs to. Raises UnauthenticatedError when it is nobody's."""
        raise UnauthenticatedError("The API key is not known here")
