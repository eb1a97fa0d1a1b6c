"""Of which mail is kept what was said by SMTP: the settings of that."""

from typing import Annotated

import msgspec

from mailsacd.core.transcript import Scope
from mailsacd.setting_types import Days


class TranscriptSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Section ``[transcripts]``: of which mail is kept what was said by SMTP, and how much."""

    of: Scope = "chosen"
    max_bytes: Annotated[int, msgspec.Meta(ge=1_024, le=1_048_576)] = 32_768
    refused_per_address: Annotated[int, msgspec.Meta(ge=0, le=1_000)] = 20
    refused_days: Days = 7
