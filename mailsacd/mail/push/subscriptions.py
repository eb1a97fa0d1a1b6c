"""Which streams wait for a message: looked up, however many streams there are."""

from mailsacd.core.event import Arrival, Topic
from mailsacd.mail.push.stream import Stream

_Streams = dict[Stream, None]  # in the order in which they came
_NONE: _Streams = {}


class Subscriptions:
    """The streams that are to be told of new messages."""

    def __init__(self) -> None:
        self._waiting: dict[Topic, _Streams] = {}

    def add(self, stream: Stream) -> None:
        """Have ``stream`` told of what it waits for."""
        for topic in stream.interest.topics():
            self._waiting.setdefault(topic, {})[stream] = None

    def discard(self, stream: Stream) -> None:
        """Have ``stream`` told no longer; it need not be there."""
        for topic in stream.interest.topics():
            streams = self._waiting.get(topic, {})
            streams.pop(stream, None)
            if not streams:
                self._waiting.pop(topic, None)

    def of(self, arrival: Arrival) -> list[Stream]:
        """Those who wait for ``arrival`` and may see it, each once."""
        found: _Streams = {}
        for topic in arrival.topics():
            found |= self._waiting.get(topic, _NONE)
        return [stream for stream in found if arrival.is_there_for(stream.interest.account)]
