"""Where in a long list a page is."""

from collections.abc import Sized
from typing import Any


def paged(found: Sized, *, skip: int, step: int) -> dict[str, Any]:
    """For `ui.pages` in a template, which shows ``step`` of a list after the first ``skip`` of it.

    ``found`` has one more where there are more.
    """
    return {"skip": skip, "step": step, "more": len(found) > step}
