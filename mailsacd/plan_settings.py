"""What an account may have: the settings of a plan."""

from typing import Annotated, Final

import msgspec

from mailsacd.setting_types import Amount

DEFAULT_PLAN: Final = "default"  # is always there


class PlanSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A plan: what an account that has it may use."""

    message_limit: Amount = 100_000
    private_addresses: Amount = 1_000
    domains: Amount = 100
    sends: Amount = 10_000
    ops_per_month: Amount = 100_000_000
    keys: Annotated[int, msgspec.Meta(ge=0, le=1_000)] = 100
    users: Annotated[int, msgspec.Meta(ge=0, le=1_000)] = 100
    firehose: bool = False
    activity_minutes: Annotated[int, msgspec.Meta(ge=15, le=5_256_000)] = 43_200
