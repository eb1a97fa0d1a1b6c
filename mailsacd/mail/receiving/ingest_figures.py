"""What is told of mail that becomes durable: how much, how long it takes, what waits for it."""

from collections.abc import Sequence, Sized
from typing import Final

from mailsacd.core.budget import ByteBudget
from mailsacd.core.figures import Figures
from mailsacd.core.message import NewEnvelope

_BATCHES: Final = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0)


class IngestFigures:
    """``under_way`` are the messages that are not answered yet, ``budget`` counts their bytes."""

    def __init__(self, figures: Figures, under_way: Sized, budget: ByteBudget) -> None:
        counter = figures.counter
        self._messages = counter("mailsacd_mail_stored_total", "Messages that were committed")
        self._copies = counter(
            "mailsacd_mail_copies_total", "Copies of these messages: one for each recipient"
        )
        self._bytes = counter(
            "mailsacd_mail_stored_bytes_total", "Bytes of these messages, before compression"
        )
        self._commit_s = figures.histogram(
            "mailsacd_commit_seconds", "How long the transaction of a batch of messages took"
        )
        self._batch = figures.histogram(
            "mailsacd_commit_batch_messages", "Messages of one transaction", _BATCHES
        )
        figures.gauge(
            "mailsacd_mail_under_way",
            "Messages that are whole and not yet answered",
            lambda: len(under_way),
        )
        figures.gauge(
            "mailsacd_mail_held_bytes",
            "Bytes of mail in memory; over message.buffer_bytes no new message is begun",
            lambda: budget.held_bytes,
        )

    def committed(self, batch: Sequence[NewEnvelope], took_s: float) -> None:
        """A ``batch`` was committed, which ``took_s`` seconds."""
        self._messages.add(len(batch))
        self._copies.add(sum(len(new.messages) for new in batch))
        self._bytes.add(sum(new.size for new in batch))
        self._commit_s.observe(took_s)
        self._batch.observe(len(batch))
