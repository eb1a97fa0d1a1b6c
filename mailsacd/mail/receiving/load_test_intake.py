"""Sorts the mail that comes in: that for load tests is counted, the rest is stored."""

from msgspec.structs import replace
from twisted.internet.defer import Deferred, succeed

from mailsacd.core.budget import ByteBudget
from mailsacd.core.envelope import Envelope
from mailsacd.mail.load_testing.recorder import Recorder
from mailsacd.mail.receiving.ingest import Ingest


class LoadTestIntake:
    """Takes whole envelopes, as the ``ingest`` that stores what is to be kept."""

    def __init__(self, ingest: Ingest, recorder: Recorder) -> None:
        self._ingest = ingest
        self._recorder = recorder
        self.budget: ByteBudget = ingest.budget
        self.new_envelope_id = ingest.new_envelope_id

    def deliver(self, envelope: Envelope) -> Deferred[None]:
        """Fires once ``envelope`` is counted, or committed. Fails as the ingest does.

        A message for both is counted when it is committed.
        """
        counted = [r for r in envelope.recipients if r.load_test is not None]
        if not counted:
            return self._ingest.deliver(envelope)
        kept = tuple(r for r in envelope.recipients if r.load_test is None)
        stored = self._ingest.deliver(replace(envelope, recipients=kept)) if kept else succeed(None)
        return stored.addCallback(lambda _: self._recorder.count(envelope, counted))
