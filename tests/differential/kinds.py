"""All kinds of differences that are accounted for."""

from typing import Final

from tests.differential.attachment_kinds import ATTACHMENT_KINDS
from tests.differential.differences import Difference
from tests.differential.header_kinds import HEADER_KINDS
from tests.differential.kind import Kind
from tests.differential.structure_kinds import STRUCTURE_KINDS
from tests.differential.text_kinds import TEXT_KINDS

KINDS: Final[tuple[Kind, ...]] = (
    *HEADER_KINDS,
    *TEXT_KINDS,
    *STRUCTURE_KINDS,
    *ATTACHMENT_KINDS,
)


def kind_of(difference: Difference) -> str | None:
    """Return the name of the kind that accounts for ``difference``, or None."""
    found = (kind for kind in KINDS if difference.field in kind.fields)
    return next((kind.name for kind in found if kind.explains(difference)), None)
