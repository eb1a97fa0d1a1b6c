"""Those who sign in: their sessions, accounts, keys and teams."""

from collections.abc import Callable

from mailsacd.assembly.ownership import Ownership
from mailsacd.assembly.records import Records
from mailsacd.data import hostname_of
from mailsacd.http.app import Group
from mailsacd.http.calls.account import AccountCalls
from mailsacd.http.calls.keys import KeyCalls
from mailsacd.http.calls.second_factor import SecondFactorCalls
from mailsacd.http.calls.session_list import SessionListCalls
from mailsacd.http.calls.sessions import SessionCalls
from mailsacd.http.calls.team import TeamCalls
from mailsacd.mail.accounts.accounts import Accounts
from mailsacd.mail.accounts.guesses import Guesses
from mailsacd.mail.accounts.keys import Keys
from mailsacd.mail.accounts.passwords import Passwords
from mailsacd.mail.accounts.profile import Profiles
from mailsacd.mail.accounts.second_factor import SecondFactors
from mailsacd.mail.accounts.session_list import SessionList
from mailsacd.mail.accounts.sessions import Sessions
from mailsacd.mail.accounts.team import Team
from mailsacd.mail.records.activity import Activity
from mailsacd.settings import Settings


class SigningIn:
    """What calls and pages about accounts have in common."""

    def __init__(
        self,
        settings: Settings,
        accounts: Accounts,
        passwords: Passwords,
        guesses: Guesses,
        activity: Activity | None = None,
        unwritten: Callable[[str], int] = lambda _: 0,
    ) -> None:
        """``unwritten`` tells how many operations of an account are not written down yet."""
        self._accounts = accounts
        self._unwritten = unwritten
        self.sessions = Sessions(accounts, passwords, guesses, settings.accounts, activity)
        self.session_calls = SessionCalls(self.sessions)
        self.keys = Keys(accounts)
        self.team = Team(accounts, passwords)
        self.session_list = SessionList(accounts)
        self.factors = SecondFactors(
            accounts, passwords, self.sessions.proofs, issuer=hostname_of(settings)
        )
        self.profiles = Profiles(accounts, self.sessions.proofs, unwritten)

    @classmethod
    def of(cls, settings: Settings, owners: Ownership, records: Records) -> "SigningIn":
        """What the daemon's parts make of it."""
        return cls(
            settings,
            owners.accounts,
            owners.passwords,
            owners.guesses,
            records.activity,
            records.usage.unwritten,
        )

    def calls(self) -> tuple[Group, ...]:
        """Return the calls about accounts, those who sign in to them, and their keys."""
        return (
            self.session_calls,
            KeyCalls(self.keys),
            AccountCalls(self.profiles, self.session_calls),
            TeamCalls(self.team),
            SessionListCalls(self.session_list),
            SecondFactorCalls(self.factors),
        )
