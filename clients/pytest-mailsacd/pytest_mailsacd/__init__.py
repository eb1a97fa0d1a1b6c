"""Mail in tests of pytest: `plugin` has the fixtures; these are the types of what they give."""

from pytest_mailsacd.inbox import Inbox, MakeInbox
from pytest_mailsacd.server import Server

__all__ = ["Inbox", "MakeInbox", "Server"]
