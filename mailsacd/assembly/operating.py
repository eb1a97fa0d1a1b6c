"""What operators see and change by a session."""

from mailsacd.assembly.ownership import Ownership
from mailsacd.assembly.part import Ground
from mailsacd.http.app import Group
from mailsacd.http.calls.operator_accounts import OperatorAccountCalls
from mailsacd.http.calls.operator_figures import OperatorFigureCalls
from mailsacd.http.calls.operator_mail import OperatorMailCalls
from mailsacd.mail.operating.accounts import OperatorAccounts
from mailsacd.mail.operating.figures import OperatorFigures
from mailsacd.mail.operating.mail import OperatorMail
from mailsacd.mail.sending.outgoing_queue import OutgoingQueue


class Operating:
    """What calls and pages of operators have in common."""

    def __init__(self, ground: Ground, owners: Ownership) -> None:
        database = ground.database
        queue = OutgoingQueue(
            database, kept_days=ground.settings.relay.kept_days, reactor=ground.reactor
        )
        self.accounts = OperatorAccounts(owners.accounts)
        self.mail = OperatorMail(database, queue)
        self.figures = OperatorFigures(database, ground.reads)

    def calls(self) -> tuple[Group, ...]:
        """Return the calls of operators."""
        return (
            OperatorAccountCalls(self.accounts),
            OperatorMailCalls(self.mail),
            OperatorFigureCalls(self.figures),
        )
