"""The pages of an account."""

from mailsacd.assembly.delivering import Delivering
from mailsacd.assembly.mail_parts import MailParts
from mailsacd.assembly.ownership import Ownership
from mailsacd.assembly.part import Ground
from mailsacd.assembly.signing_in import SigningIn
from mailsacd.mail.reading.account_mail import AccountMail
from mailsacd.web.page import PageGroup
from mailsacd.web.pages.account import AccountPages
from mailsacd.web.pages.address import AddressPages
from mailsacd.web.pages.addresses import AddressListPages
from mailsacd.web.pages.compose import ComposePages
from mailsacd.web.pages.domains import DomainPages
from mailsacd.web.pages.keys import KeyPages
from mailsacd.web.pages.outgoing import OutgoingPages
from mailsacd.web.pages.passwords import PasswordPages
from mailsacd.web.pages.security import SecurityPages
from mailsacd.web.pages.team import TeamPages


def account_pages(
    ground: Ground,
    owners: Ownership,
    signing_in: SigningIn,
    mail: MailParts,
    delivering: Delivering,
) -> tuple[PageGroup, ...]:
    """Those on which an account sees and changes what it owns."""
    account_mail = AccountMail(ground.database, owners.access_control, ground.reads)
    return (
        PasswordPages(mail.writing.account_mail, signing_in.sessions),
        AddressListPages(owners.addresses, signing_in.profiles),
        AddressPages(owners.addresses, delivering.deliveries, delivering.tests),
        DomainPages(owners.domains, account_mail, mail.testing.tests),
        ComposePages(
            mail.sending.submission,
            owners.mailbox,
            owners.addresses,
            owners.domains,
            signing_in.profiles,
        ),
        OutgoingPages(mail.sending.queue, mail.relaying.suppressions),
        KeyPages(signing_in.keys),
        AccountPages(
            signing_in.profiles,
            signing_in.sessions,
            signing_in.session_calls,
        ),
        SecurityPages(signing_in.factors, signing_in.session_list),
        TeamPages(signing_in.team, signing_in.profiles),
    )
