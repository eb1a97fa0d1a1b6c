"""How likely mail is spam: who is asked, and what is learned of what people move."""

from mailsacd.assembly.ownership import Ownership
from mailsacd.assembly.part import Ground
from mailsacd.core.message import Observer
from mailsacd.http.app import Group
from mailsacd.http.calls.spam import SpamCalls
from mailsacd.mail.spam.choosing import make_scorer
from mailsacd.mail.spam.classifier import Classifier
from mailsacd.mail.spam.learning import MovedMail
from mailsacd.mail.spam.on_request import ScoresOnRequest
from mailsacd.mail.spam.scoring import LaterScores
from mailsacd.outbound.guard import Guard


class Spam:
    """A part. ``observers`` observe the mail that is stored, ``moved`` what people move."""

    def __init__(self, ground: Ground, owners: Ownership) -> None:
        """Raises ConfigurationError."""
        settings, reactor, figures = ground.settings.spam, ground.reactor, ground.telemetry.figures
        database, lane = ground.database, ground.lanes.checks
        look_up = Guard(owners.resolver, ()).look_up  # the operator's host may be anywhere
        scorer = make_scorer(settings, database, lane, look_up, reactor=reactor)
        self._classifier = scorer if isinstance(scorer, Classifier) else None
        if self._classifier is not None:
            self._classifier.follow(owners.notices)
        self._later = None
        if scorer is not None:
            self._later = LaterScores(
                database, scorer, lane, folder_from=settings.folder_from, reactor=reactor
            )
            self._later.declare(figures)
        self.observers: tuple[Observer, ...] = () if self._later is None else (self._later,)
        self.moved = MovedMail(database, lane, reactor=reactor)
        self.moved.declare(figures)
        self.on_request = ScoresOnRequest(database, owners.mailbox, scorer)

    def calls(self) -> tuple[Group, ...]:
        """Return the call about how likely a message is spam."""
        return (SpamCalls(self.on_request),)

    async def start(self) -> None:
        """Begin to score what is stored, and to learn of what is moved."""
        self.moved.start()
        if self._later is not None:
            self._later.start()
        if self._classifier is not None:
            self._classifier.start()

    async def finish(self) -> None:
        """End; what was not scored is when somebody asks."""
        if self._later is not None:
            await self._later.finish()
        if self._classifier is not None:
            await self._classifier.finish()
        await self.moved.finish()
