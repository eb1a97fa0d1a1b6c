"""The calls about load tests of domains. What may be done is decided in mail.load_testing."""

import csv
import io
from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any, Final

import msgspec

from mailsacd.core.load_test import DEFAULT_HEADER, MAX_HOURS
from mailsacd.core.text_form import whole
from mailsacd.http.api import schemas
from mailsacd.http.api.operation import Answer, Call, Operation
from mailsacd.http.api.parameters import DOMAIN, Parameter, one_of
from mailsacd.http.server.answer import Response, json_response
from mailsacd.mail.load_testing.load_tests import LoadTests, Report
from mailsacd.mail.load_testing.summary import summary

CSV: Final = "text/csv"
_PATH: Final = "/api/domains/{domain}/load-test"
_operation = partial(Operation, path=_PATH, tag="Domains")
_REFUSALS: Final = (400, 401, 403, 404, 503)


FORMAT: Final = Parameter(
    name="format",
    where="query",
    description="`json`, or `csv` with a line for each figure. Without it, what `Accept` prefers.",
    schema={"type": "string", "enum": ["json", "csv"]},
    convert=one_of("json", "csv"),
)
ACCEPT: Final = Parameter(
    name="Accept",
    where="header",
    description=f"`{CSV}` asks for lines with a figure each.",
    schema={"type": "string"},
    convert=str,
    default="",
)


class LoadTestBody(msgspec.Struct, frozen=True, kw_only=True):
    """For how long the domain is tested, and which field tells when a message was sent."""

    hours: Annotated[float, msgspec.Meta(gt=0, le=MAX_HOURS)] = 1.0
    latencyHeader: Annotated[str, whole("[A-Za-z0-9_-]{1,70}")] = (  # noqa: N815  the API's spelling
        DEFAULT_HEADER
    )


class LoadTestCalls:
    """The handlers of the calls about load tests, and their declarations."""

    def __init__(self, tests: LoadTests) -> None:
        self._tests = tests

    def operations(self) -> tuple[Operation, ...]:
        """Declare all calls about load tests."""
        figures = _figures_answer("The figures")
        return (
            _operation(
                method="GET",
                id="getLoadTest",
                summary="What was counted of the load test under way, else of the last one",
                description="Figures are a second old at most, those of all nodes together.",
                parameters=(DOMAIN, FORMAT, ACCEPT),
                answers=(figures,),
                refusals=(400, 401, 404, 503),
                handler=self.get,
            ),
            _operation(
                method="POST",
                id="startLoadTest",
                summary="Count the mail for a verified domain for a while, and keep none of it",
                description="It is taken at full speed, and counts for no limit. 409 for a domain "
                "that is not verified or is tested already, where others have addresses, and when "
                "too many tests are under way.",
                parameters=(DOMAIN,),
                body=LoadTestBody,
                needs_account=True,
                answers=(_report_answer("It is under way"),),
                refusals=(*_REFUSALS, 409),
                handler=self.start,
            ),
            _operation(
                method="DELETE",
                id="endLoadTest",
                summary="End the load test: mail for the domain is kept again",
                parameters=(DOMAIN,),
                answers=(_report_answer("It has ended; what was counted"),),
                refusals=_REFUSALS,
                handler=self.end,
            ),
        )

    async def get(self, call: Call) -> Response:
        """Answer with the figures, in JSON or CSV."""
        report = await self._tests.get(call.actor, call["domain"])
        wanted = call["format"] or ("csv" if CSV in call["Accept"].lower() else "json")
        return _csv_response(report) if wanted == "csv" else _json_response(report)

    async def start(self, call: Call) -> Response:
        """Begin a test, and answer with its figures: there are none yet."""
        body: LoadTestBody = call.body
        report = await self._tests.start(
            call.actor, call["domain"], hours=body.hours, header=body.latencyHeader
        )
        return _json_response(report)

    async def end(self, call: Call) -> Response:
        """End a test, and answer with its figures."""
        return _json_response(await self._tests.end(call.actor, call["domain"]))


def _json_response(report: Report) -> Response:
    return json_response(summary(report))


def _csv_response(report: Report) -> Response:
    out = io.StringIO()
    lines = csv.writer(out)
    lines.writerow(("figure", "value"))
    lines.writerows(_lines("", summary(report)))
    name = f'attachment; filename="load-test-{report.test.domain}.csv"'.encode("ascii")
    return Response(
        out.getvalue().encode(),
        f"{CSV}; charset=utf-8".encode("ascii"),
        headers=((b"Content-Disposition", name), (b"Vary", b"Accept")),
    )


def _lines(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """A line for each figure: ``latencyMs.p99``, ``perMinute.2026-11-29T13:00:00.000Z``."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _lines(f"{name}.{key}" if name else key, inner)
    elif isinstance(value, list):
        for each in value:
            yield f"{name}.{each['minute']}", each["messages"]
    else:
        yield name, str(value).lower() if isinstance(value, bool) else value


_COUNT: Final = {"type": "integer", "minimum": 0}
_NUMBER: Final = {"type": "number"}
_NUMBER_OR_NULL: Final = {"type": ["number", "null"]}
_SPREAD: Final = (
    dict.fromkeys(("min", "mean", "p50", "p90", "p95", "p99", "p999", "max"), _NUMBER_OR_NULL)
    | {"percentileError": {"type": "number", "description": "A percentile is off by so much of it"}}
)  # fmt: skip


def _object(**properties: Any) -> schemas.Schema:
    return schemas.object_of(properties)


_REPORT: Final = _object(
    domain=schemas.STRING,
    state={"enum": ["running", "ended"]},
    started=schemas.TIME,
    ends=schemas.TIME,
    asOf=schemas.TIME,
    latencyHeader=schemas.STRING,
    messages=_COUNT,
    recipients=_COUNT,
    bytes=_COUNT,
    firstMessage=schemas.TIME_OR_NULL,
    lastMessage=schemas.TIME_OR_NULL,
    messagesPerSecond=_object(
        average=_NUMBER,
        last10Seconds=_NUMBER,
        busiest10Seconds=_NUMBER,
        busiestSecondOfTheLast30=_NUMBER,
    ),
    latencyMs=_object(
        **dict.fromkeys(
            ("measured", "byHeader", "byDate", "unmeasured", "sentInTheFuture"), _COUNT
        ),
        **_SPREAD,
    ),
    sizeBytes=_object(**_SPREAD),
    duplicates=_object(
        count=_COUNT,
        exact={"type": "boolean"},
        sampledOneIn={"type": "integer", "minimum": 1},
        differentMessageIds=_COUNT,
        withoutMessageId=_COUNT,
    ),
    perMinute=schemas.list_of(_object(minute=schemas.TIME, messages=_COUNT)),
)


def _report_answer(description: str) -> Answer:
    return schemas.json_answer(description, _REPORT)


def _figures_answer(description: str) -> Answer:
    media = {"application/json": _REPORT, CSV: schemas.STRING}
    return Answer(status=200, description=description, schemas=media)
