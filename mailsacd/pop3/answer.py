"""Every answer of one line that is always the same; the codes are of RFC 2449 and RFC 3206."""

from typing import Final


def ok(text: str = "") -> bytes:
    """Return a good answer of one line; ``text`` is printable, without CRLF."""
    return f"+OK {text}\r\n".encode() if text else b"+OK\r\n"


def err(text: str, code: str = "") -> bytes:
    """Return a refusal of one line; ``code`` is a response code without its brackets."""
    return f"-ERR [{code}] {text}\r\n".encode() if code else f"-ERR {text}\r\n".encode()


AUTH: Final = "AUTH"
IN_USE: Final = "IN-USE"
LOGIN_DELAY: Final = "LOGIN-DELAY"
SYS_PERM: Final = "SYS/PERM"
SYS_TEMP: Final = "SYS/TEMP"

OK: Final = ok()
BYE: Final = ok("Bye")
SEND_PASSWORD: Final = ok("Now the password")
READY_FOR_TLS: Final = ok("Go ahead with TLS")
UTF8_ON: Final = ok("UTF8 it is")

UNKNOWN_COMMAND: Final = err("Command not known")
NOT_NOW: Final = err("Not in this state")
LINE_TOO_LONG: Final = err("Command line too long")
BARE_NEWLINE: Final = err("Only CRLF ends a command")
NOT_UTF8: Final = err("Not UTF-8")
BAD_ARGUMENTS: Final = err("Arguments not understood")
BAD_NUMBER: Final = err("Not the number of a message")
NO_SUCH_MESSAGE: Final = err("There is no message of that number")
DELETED: Final = err("That message is marked as deleted")
GONE: Final = err("That message was deleted in the meantime")
USER_FIRST: Final = err("USER comes first")
NO_TLS: Final = err("TLS is not offered")
HAS_TLS: Final = err("TLS is on already")
TOO_MANY_ERRORS: Final = err("Too many bad commands, closing")
UNKNOWN_MECHANISM: Final = err("There are PLAIN and LOGIN")
CANCELLED: Final = err("Cancelled")
UNKNOWN_LANGUAGE: Final = err("There is only English: en")
NOT_HTTP: Final = err("This port speaks POP3, not HTTP")

TLS_NEEDED: Final = err("Log in over TLS: STLS comes first", AUTH)
WRONG: Final = err("The name, or the password or key, is wrong", AUTH)
AWAY: Final = err("Not now, try again later", SYS_TEMP)
BROKEN: Final = err("A defect here: the log says more", SYS_PERM)
NOT_REMOVED: Final = err("Some of them are not yours any more: nothing was deleted", SYS_PERM)
PERHAPS_NOT_REMOVED: Final = err("What is still there next time was not deleted", SYS_TEMP)
LOCKED: Final = err("Another session has this maildrop", IN_USE)
STOPPING: Final = err("The server is stopping, come back later", SYS_TEMP)
TOO_MANY: Final = err("Too many connections, come back later", SYS_TEMP)
TOO_MANY_FROM_PEER: Final = err("Too many connections from your address", SYS_TEMP)
