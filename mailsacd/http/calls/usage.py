"""The calls about what an account has used, and what mail came in for it."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from mailsacd.core.actor import account_of
from mailsacd.core.address import normal_domain
from mailsacd.http.api import schemas
from mailsacd.http.api.operation import Call, Operation
from mailsacd.http.api.parameters import Parameter, text_up_to, whole_number
from mailsacd.http.server.answer import Response, json_response
from mailsacd.mail.limits.usage_report import (
    DEFAULT_MONTHS,
    MAX_DAYS,
    MAX_MONTHS,
    Report,
    UsageReports,
)
from mailsacd.mail.limits.warnings import MARKS
from mailsacd.store.inbound import Inbound
from mailsacd.store.usage import OPS, KeyUse

_operation = partial(Operation, tag="Account", refusals=(400, 401, 404, 503))

_COUNT: Final = {"type": "integer", "minimum": 0}
_MONTH: Final = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}$", "examples": ["2026-11"]}
_KINDS: Final = {
    "type": "object",
    "additionalProperties": _COUNT,
    "description": "Operations by kind: `api`, `inbound`, `push`, `capture`; `send` beside them",
}
_INBOUND: Final[dict[str, Any]] = {
    "since": {"type": "string", "format": "date", "description": "The day; of a month the first"},
    "domain": {"type": "string"},
    "messages": _COUNT,
    "bytes": {**_COUNT, "description": "Of raw messages"},
}


_KEY: Final = schemas.object_of(
    {
        "key": {"type": ["string", "null"], "description": "Its name; null: no key that is there"},
        "operations": _COUNT,
    }
)
_USAGE: Final = schemas.object_of(
    {
        "month": _MONTH,
        "limit": {**_COUNT, "description": "Operations that the plan allows in a month"},
        "operations": {**_COUNT, "description": "Of this month, as far as they are written down"},
        "usageWarning": {"enum": [None, *MARKS], "description": "Percent that are used up"},
        "months": schemas.list_of(
            schemas.object_of(
                {
                    "month": _MONTH,
                    "operations": _COUNT,
                    "kinds": _KINDS,
                    "keys": {**schemas.list_of(_KEY), "description": "Who made the API's calls"},
                }
            )
        ),
    }
)


def _number(name: str, description: str, most: int, default: int) -> Parameter:
    return Parameter(
        name=name,
        where="query",
        description=description,
        schema={"type": "integer", "minimum": 1, "maximum": most, "default": default},
        convert=whole_number(most, least=1),
        default=default,
    )


_MONTHS: Final = _number("months", "So many months, this one included.", MAX_MONTHS, DEFAULT_MONTHS)
_DAYS: Final = _number("days", "So many days, today included.", MAX_DAYS, 30)
_DOMAIN: Final = Parameter(
    name="domain",
    where="query",
    description="Only mail of this domain.",
    schema={"type": "string", "maxLength": 255},
    convert=text_up_to(255),
)


class UsageCalls:
    """The handlers of the calls about usage, and their declarations."""

    def __init__(self, reports: UsageReports) -> None:
        self._reports = reports

    def operations(self) -> tuple[Operation, ...]:
        """Declare all calls about usage."""
        inbound = schemas.json_answer("Newest first", schemas.list_of(schemas.object_of(_INBOUND)))
        return (
            _operation(
                method="GET",
                path="/api/usage",
                id="getUsage",
                summary="Operations by month, kind and API key, and what is left of them",
                parameters=(_MONTHS,),
                answers=(schemas.json_answer("The numbers", _USAGE),),
                handler=self.usage,
            ),
            _operation(
                method="GET",
                path="/api/usage/inbound/daily",
                id="listInboundByDay",
                summary="Mail that came in for the account, by day and domain",
                parameters=(_DAYS, _DOMAIN),
                answers=(inbound,),
                handler=self.daily,
            ),
            _operation(
                method="GET",
                path="/api/usage/inbound/monthly",
                id="listInboundByMonth",
                summary="Mail that came in for the account, by month and domain",
                parameters=(_MONTHS, _DOMAIN),
                answers=(inbound,),
                handler=self.monthly,
            ),
        )

    async def usage(self, call: Call) -> Response:
        """Answer with what the account used, newest month first."""
        report = await self._reports.of(account_of(call.actor), months=call["months"])
        return json_response(report_json(report))

    async def daily(self, call: Call) -> Response:
        """Answer with the mail of each day and domain, newest first."""
        found = await self._reports.inbound_by_day(
            account_of(call.actor), days=call["days"], domain=_domain(call)
        )
        return json_response(inbound_json(found))

    async def monthly(self, call: Call) -> Response:
        """Answer with the mail of each month and domain, newest first."""
        found = await self._reports.inbound_by_month(
            account_of(call.actor), months=call["months"], domain=_domain(call)
        )
        return json_response(inbound_json(found))


def report_json(report: Report) -> dict[str, Any]:
    """A Report in its JSON form."""
    months: dict[str, list[KeyUse]] = {}
    for use in report.uses:
        months.setdefault(f"{use.month:%Y-%m}", []).append(use)
    return {
        "month": f"{report.month:%Y-%m}",
        "limit": report.limit,
        "operations": report.used,
        "usageWarning": report.warning,
        "months": [_month_json(month, uses) for month, uses in months.items()],
    }


def inbound_json(found: Sequence[Inbound]) -> list[dict[str, Any]]:
    """Counts of mail in their JSON form."""
    return [
        {
            "since": each.since.isoformat(),
            "domain": each.domain,
            "messages": each.messages,
            "bytes": each.bytes,
        }
        for each in found
    ]


def _month_json(month: str, uses: Sequence[KeyUse]) -> dict[str, Any]:
    kinds: dict[str, int] = {}
    keys: dict[str, int] = {}
    for use in uses:
        kinds[use.kind] = kinds.get(use.kind, 0) + use.count
        if use.kind == "api":
            keys[use.key] = keys.get(use.key, 0) + use.count
    return {
        "month": month,
        "operations": sum(n for kind, n in kinds.items() if kind in OPS),
        "kinds": kinds,
        "keys": [{"key": key or None, "operations": n} for key, n in keys.items()],
    }


def _domain(call: Call) -> str | None:
    return None if call["domain"] is None else normal_domain(call["domain"])
