"""An address as somebody may see it: whose it is, and the alternate that stands for it."""

from dataclasses import dataclass

from mailsacd.core.address import alternate_local, inbox_of
from mailsacd.core.ownership import PrivateAddress


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressView:
    """An address as somebody may see it.

    ``address`` is None when nobody reserved it; ``owner`` is set then when it is ``implicit``: of
    the owner of its private domain. ``alternate`` is the address that stands for it.
    """

    email: str
    owner: str | None
    implicit: bool
    alternate: str
    address: PrivateAddress | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Availability:
    """Whether the asker could reserve an address, and whether anybody owns it."""

    email: str
    available: bool
    owned: bool


def view_of(address: PrivateAddress, secret: bytes) -> AddressView:
    """Return a reserved address as its owner sees it; ``secret`` is the server's."""
    local = alternate_local(secret, inbox_of(address.email))
    return AddressView(
        email=address.email,
        owner=address.owner,
        implicit=False,
        alternate=f"{local}@{address.domain}",
        address=address,
    )
