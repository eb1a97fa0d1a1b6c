"""Who comes to listen counts as one who calls: by operations of the month, and by pace."""

from mailsacd.core.actor import ANYONE, Actor
from mailsacd.mail.accounts.auth import Authenticator
from mailsacd.mail.limits.throttle import Throttle
from mailsacd.mail.limits.usage import Metered, Usage


class Paced(Metered):
    """A Metered for WebSockets: calls by HTTP have their pace from who dispatches them."""

    def __init__(self, authenticator: Authenticator, usage: Usage, throttle: Throttle) -> None:
        super().__init__(authenticator, usage)
        self._throttle = throttle

    async def authenticate(self, key: str, peer: str = "") -> Actor:
        """As of Metered; ANYONE without a key. Raises RateLimitError, too."""
        actor = await super().authenticate(key, peer) if key else ANYONE
        await self._throttle.call(peer, actor.account)
        return actor
