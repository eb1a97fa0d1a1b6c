"""The pages on which mail is read."""

from mailsacd.assembly.ownership import Ownership
from mailsacd.assembly.part import Ground
from mailsacd.assembly.signing_in import SigningIn
from mailsacd.assembly.spam import Spam
from mailsacd.mail.checks.on_request import MessageChecks
from mailsacd.mail.reading.account_mail import AccountMail
from mailsacd.mail.reading.marks import Marks
from mailsacd.mail.reading.saved_searches import SavedSearches
from mailsacd.mail.reading.search import Search
from mailsacd.mail.reading.snippets import Snippets
from mailsacd.mail.reading.transcripts import Transcripts
from mailsacd.web.page import PageGroup
from mailsacd.web.pages.account_mail import AccountMailPages
from mailsacd.web.pages.checks import CheckPages
from mailsacd.web.pages.inbox import InboxPages
from mailsacd.web.pages.mail_content import MailContent
from mailsacd.web.pages.marking import Marking
from mailsacd.web.pages.message import MessagePages
from mailsacd.web.pages.shared import SharedPages
from mailsacd.web.pages.transcripts import TranscriptPages


def mail_pages(
    ground: Ground,
    owners: Ownership,
    signing_in: SigningIn,
    checks: MessageChecks,
    spam: Spam,
    search: Search,
) -> tuple[PageGroup, ...]:
    """The pages of an inbox and of a message, and of all mail of an account."""
    database, access_control, lane = ground.database, owners.access_control, ground.lanes.readers
    mailbox = owners.mailbox
    snippets = Snippets(ground.reads, access_control, lane)
    marking = Marking(mailbox, Marks(database, access_control, spam.moved))
    account_mail = AccountMail(database, access_control, ground.reads)
    transcripts = Transcripts(database, access_control)
    saved = SavedSearches(database)
    return (
        InboxPages(mailbox, snippets, owners.addresses, marking, search),
        MessagePages(mailbox, marking, spam.on_request, transcripts),
        TranscriptPages(transcripts),
        MailContent(mailbox),
        SharedPages(owners.links, owners.shared_mailbox),
        CheckPages(mailbox, checks),
        AccountMailPages(account_mail, snippets, signing_in.profiles, marking, search, saved),
    )
