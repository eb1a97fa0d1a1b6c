"""Envelopes of the messages that come by one connection."""

from mailsacd.core.envelope import Envelope, Reception
from mailsacd.smtp.action import Deliver
from mailsacd.smtp.services import IngestsMail
from mailsacd.smtp.tls_facts import tls_facts
from mailsacd.sockets.connection import Connection


class Envelopes:
    """Makes them. How they came is the same for most messages of a connection, and kept."""

    __slots__ = ("_connection", "_how", "_ingest", "_reception")

    def __init__(self, ingest: IngestsMail, connection: Connection) -> None:
        self._ingest = ingest
        self._connection = connection
        self._how: tuple[str, str, bool] | None = None  # what `_reception` was made for
        self._reception: Reception

    def make(self, message: Deliver, helo: str, *, tls: bool) -> Envelope:
        """Return the envelope of ``message``, which is whole now.

        ``helo`` is what the client calls itself, ``tls`` whether it came encrypted.
        """
        envelope_id, received_ms = self._ingest.new_envelope_id()
        return Envelope(
            id=envelope_id,
            received_ms=received_ms,
            reverse_path=message.reverse_path,
            recipients=message.recipients,
            reception=self._reception_by(message.protocol, helo, tls=tls),
            content=message.content,
            ret=message.ret,
            envid=message.envid,
        )

    def _reception_by(self, protocol: str, helo: str, *, tls: bool) -> Reception:
        how = (protocol, helo, tls)
        if how == self._how:
            return self._reception
        connection = self._connection
        self._reception = Reception(
            peer_ip=connection.peer_ip,
            local_ip=connection.local_ip,
            helo=helo,
            protocol=protocol,
            tls=tls_facts(connection) if tls else None,
        )
        self._how = how
        return self._reception
