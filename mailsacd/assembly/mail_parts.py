"""The parts by which mail comes in, goes out and is fetched."""

from collections.abc import Iterable, Mapping

from twisted.internet.interfaces import IProtocolFactory

from mailsacd.assembly.checking import Checking
from mailsacd.assembly.faults import Faults
from mailsacd.assembly.load_testing import LoadTesting
from mailsacd.assembly.ownership import Ownership
from mailsacd.assembly.part import AddsParts, Edge, Ground
from mailsacd.assembly.receiving import Receiving, Testing
from mailsacd.assembly.records import Records
from mailsacd.assembly.relaying import Relaying
from mailsacd.assembly.retrieval import Retrieval
from mailsacd.assembly.sending import Sending
from mailsacd.assembly.submitting import Submitting
from mailsacd.assembly.writing import Writing
from mailsacd.core.message import Observer
from mailsacd.http.app import Group


class MailParts:
    """Several parts. ``edges`` are those that others come in by, ``factories`` what listens, by
    the names of the ports. ``policy`` decides on recipients. ``offers_tls`` tells on which ports
    mail programs may begin TLS."""

    def __init__(
        self,
        ground: Ground,
        owners: Ownership,
        records: Records,
        observers: Iterable[Observer],
        ports: Mapping[str, int],
        add: AddsParts,
    ) -> None:
        """``observers`` are told of all mail that is stored. ``ports`` tells, once they listen,
        where. Each part is handed to ``add``.

        Raises ConfigurationError.
        """
        testing = add(LoadTesting(ground, owners, records))
        sending = add(Sending(ground, owners, records))
        checking = add(Checking(ground, owners))
        faults = add(Faults(ground, owners, sending.queueing, checking.examine))
        tested = Testing(recorder=testing.recorder, faults=faults.provoking)
        receiving = add(Receiving(ground, owners, records, tested, checking, observers))
        relaying = add(Relaying(ground, owners, records, receiving, sending))
        submitting = add(Submitting(ground, records, receiving, sending))
        writing = add(Writing(ground, owners, records, sending, ports))
        retrieval = add(Retrieval(ground, owners, records))
        self.testing, self.sending, self.relaying = testing, sending, relaying
        self.writing, self.checking, self.receiving = writing, checking, receiving
        self.policy = receiving.policy
        self._groups = (
            *testing.calls(),
            *checking.calls(),
            *faults.calls(),
            *sending.calls(),
            *relaying.calls(),
            *writing.calls(),
            retrieval.calls(owners.addresses, ports),
        )
        settings = ground.settings
        self.offers_tls: Mapping[str, bool] = {
            "pop3": retrieval.factories["pop3"].offers_tls(ground.host_of(settings.pop3.host)),
            "submission": submitting.factories["submission"].offers_tls(
                ground.host_of(settings.submission.host)
            ),
        }
        self.edges: tuple[Edge, ...] = (receiving, submitting, retrieval)
        self.factories: Mapping[str, IProtocolFactory] = {
            **receiving.factories,
            **submitting.factories,
            **retrieval.factories,
        }

    def calls(self) -> tuple[Group, ...]:
        """Return the calls of all these parts."""
        return self._groups
