"""What the owner of a domain has set up of faults, and what is told of those that were provoked."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from mailsacd.core.fault import Deed, FaultRule, Phase

MAX_RULES: Final = 20
"""A domain has so many rules at most."""


class FaultPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """With ``byAddress`` names in the domain have faults by their local parts (core.fault_grammar);
    ``rules`` are tried in their order. With ``answers`` faults may send mail to who sent some."""

    byAddress: bool = False  # noqa: N815  the API's spelling
    answers: bool = False
    rules: Annotated[tuple[FaultRule, ...], Meta(max_length=MAX_RULES)] = ()


class ProvokedFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One fault that was provoked ``at`` a step: what was done by which ``fault`` (a local part, or
    the number of a rule), about which ``name`` (a
    recipient, sender or host), and the ``answer`` that was given, if any.

    ``peer`` is the IP address that it was done to.
    """

    at: Phase
    do: Deed
    fault: str
    sender: str
    name: str
    peer: str
    answer: str
