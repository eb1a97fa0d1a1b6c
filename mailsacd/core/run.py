"""A run: an address space of its own for some hours, as one of many parallel tests has.

Its id is the first label of its domain, ``run-<16 characters>.example.com``. No domain that is
met elsewhere looks so, hence an address tells by itself whether it is of a run (core.address).
"""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final

RUN_ID_CHARACTERS: Final = 20

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_RANDOM_CHARACTERS: Final = 16  # of 32 each: 80 bits
ID_FORM: Final = rf"run-[{_ALPHABET}]{{{_RANDOM_CHARACTERS}}}"
DOMAIN_FORM: Final = rf"^{ID_FORM}\."
"""How the domain of a run begins: a regular expression of Python and of PostgreSQL."""
_OF_DOMAIN: Final = re.compile(DOMAIN_FORM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run of the account ``owner``, with what that calls it. Its mail is gone when it ``ends``.

    ``domain`` begins with the ``id``: all addresses there are the run's.
    """

    id: str
    domain: str
    owner: str
    name: str
    created: datetime
    ends: datetime


def new_run_id() -> str:
    """An id that no other run has."""
    return "run-" + "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_CHARACTERS))


def is_of_run(domain: str) -> bool:
    """Whether ``domain`` (normal) has the form of a run's, whether that is there or not."""
    return domain.startswith("run-") and _OF_DOMAIN.match(domain) is not None


def outside_of_run(domain: str) -> str:
    """The domain that a run's is below; any other one as it is."""
    return domain[RUN_ID_CHARACTERS + 1 :] if is_of_run(domain) else domain
