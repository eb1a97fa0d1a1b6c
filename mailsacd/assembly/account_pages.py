"""The pages of an account."""

from mailsacd.assembly.delivering import Delivering
from mailsacd.assembly.mail_parts import MailParts
from mailsacd.assembly.ownership import Ownership
from mailsacd.assembly.signing_in import SigningIn
from mailsacd.web.page import PageGroup
from mailsacd.web.pages.address import AddressPages
from mailsacd.web.pages.addresses import AddressListPages
from mailsacd.web.pages.keys import KeyPages
from mailsacd.web.pages.passwords import PasswordPages


def account_pages(
    owners: Ownership, signing_in: SigningIn, mail: MailParts, delivering: Delivering
) -> tuple[PageGroup, ...]:
    """Those on which an account sees and changes what it owns."""
    return (
        PasswordPages(mail.writing.account_mail, signing_in.sessions),
        AddressListPages(owners.addresses, signing_in.profiles),
        AddressPages(owners.addresses, delivering.deliveries, mail.writing.samples),
        KeyPages(signing_in.keys),
    )
