"""Lines of JSON, as who collects logs reads them."""

import io
import json

from twisted.logger import Logger, LogPublisher
from twisted.python.failure import Failure

from mailsacd.json_log import MAX_TEXT_CHARACTERS, JsonLog


def test_each_event_is_a_line_with_its_values_by_name() -> None:
    stream = io.StringIO()
    log = Logger(namespace="mailsacd.smtp", observer=LogPublisher(JsonLog(stream)))
    log.warn("{peer} sent {n}\nmessages", peer="192.0.2.1", n=3, other=object(), text="mine")
    log.error("{long}", long="x" * 100_000)
    log.failure("it failed", Failure(ValueError("why")))
    first, second, third = map(json.loads, stream.getvalue().splitlines())
    assert first.pop("time").endswith("Z")
    assert first == {
        "level": "warn",
        "logger": "mailsacd.smtp",
        "text": "192.0.2.1 sent 3\nmessages",
        "peer": "192.0.2.1",
        "n": 3,
    }
    assert len(second["text"]) == MAX_TEXT_CHARACTERS
    assert third["level"] == "critical"
    assert "ValueError: why" in third["text"]


def test_what_cannot_be_written_does_no_harm() -> None:
    stream = io.StringIO()
    log = Logger(observer=LogPublisher(JsonLog(stream)))
    log.info("{n}", n=float("nan"))
    stream.close()
    log.info("nobody reads this")
