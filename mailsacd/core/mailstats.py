"""What public mail is counted by."""

from typing import Final

ADDRESS: Final = "address"
SENDER: Final = "sender"
DOMAIN: Final = "domain"
ATTACHMENT: Final = "attachment"
