"""The address spaces that tests have for themselves: the settings of runs."""

from typing import Annotated

import msgspec

from mailsacd.setting_types import Amount, Count


class RunSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Section ``[runs]``: where the addresses of runs are, and how many runs there may be."""

    domain: str = ""
    max_open: Amount = 5_000
    max_open_per_account: Count = 500
    max_hours: Annotated[int, msgspec.Meta(ge=1, le=168)] = 24
