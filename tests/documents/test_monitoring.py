"""The page on monitoring, the alerts and the dashboard name the figures that there are."""

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.documents.blocks import ROOT, blocks
from tests.end_to_end.daemon import RunningDaemon, running_daemon

PAGE = ROOT / "docs" / "monitoring.md"
RULES = ROOT / "etc" / "prometheus-alerts.yml"
DASHBOARD = ROOT / "etc" / "grafana-dashboard.json"
OF_PROMETHEUS = {"up"}
# What Grafana puts for these before it asks
VARIABLES = {"$__rate_interval": "5m", "$job": "mailsacd", "$instance": ".*"}
_ROW = re.compile(r"^\| `((?:mailsacd|process)_\w+)` \|([^|]*)\|", re.MULTILINE)
_LABEL = re.compile(r"`(\w+)`")
_SERIES = re.compile(r"\b((?:mailsacd|process)_\w+)(?:\{([^}]*)\})?")


@dataclass
class Scrape:
    """``labels`` of each figure by its name; ``series`` are all names that samples have."""

    text: str
    labels: dict[str, set[str]] = field(default_factory=dict)
    series: set[str] = field(default_factory=set)


@pytest.fixture(scope="module")
def daemon(migrated_data: Path) -> Iterator[RunningDaemon]:
    """A daemon with all parts that have figures; its standby is away."""
    with running_daemon(migrated_data, "--set", "database.replica_dsn=host=/nowhere") as made:
        yield made


@pytest.fixture(scope="module")
def scrape(daemon: RunningDaemon) -> Scrape:
    daemon.send("bob@example.com", "Subject: hi\r\n\r\nhello\r\n")
    daemon.json("/api/addresses/bob@example.com/messages")
    with daemon.smtp() as client:
        client.docmd("NOSUCH")
    status, headers, body = daemon.request("/metrics")
    assert (status, headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    told = Scrape(body.decode())
    for family in text_string_to_metric_families(told.text):
        name = family.name + ("_total" if family.type == "counter" else "")
        parts = ("_bucket", "_count", "_sum") if family.type == "histogram" else ("",)
        told.series |= {name + part for part in parts}
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        told.labels[name] = labels
    return told


def _documented() -> dict[str, set[str]]:
    text = PAGE.read_text(encoding="utf-8")
    return {name: set(_LABEL.findall(labels)) for name, labels in _ROW.findall(text)}


def _expressions() -> Iterator[str]:
    yield from re.findall(r"^ +expr: (.*)$", RULES.read_text(encoding="utf-8"), re.MULTILINE)
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    for panel in dashboard["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))


def _promtool(*arguments: str, text: str = "") -> None:
    done = subprocess.run(
        ["promtool", *arguments], input=text, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_figure_is_documented_and_each_that_is_documented_is_there(scrape: Scrape) -> None:
    assert sorted(scrape.labels) == sorted(_documented())


def test_the_labels_are_those_that_are_documented(scrape: Scrape) -> None:
    documented = _documented()
    assert {n: labels for n, labels in scrape.labels.items() if labels != documented[n]} == {
        name: set()
        for name, labels in documented.items()
        if len(labels) > 1 and not scrape.labels[name]
    }


def test_alerts_and_dashboard_ask_for_series_and_labels_that_there_are(scrape: Scrape) -> None:
    documented = _documented()
    asked = 0
    for expression in _expressions():
        for name, selection in _SERIES.findall(expression):
            asked += 1
            assert name in scrape.series, expression
            labels = documented[re.sub("_(bucket|count|sum)$", "", name)] | {"job", "instance"}
            assert set(re.findall(r"(\w+)(?==)", selection.replace("=~", "="))) <= labels, (
                expression
            )
    assert asked > 50


def test_promtool_finds_nothing_wrong_with_the_figures(scrape: Scrape) -> None:
    _promtool("check", "metrics", text=scrape.text)


def test_promtool_finds_nothing_wrong_with_the_alerts() -> None:
    _promtool("check", "rules", str(RULES))


def test_promtool_finds_nothing_wrong_with_what_the_dashboard_asks(tmp_path: Path) -> None:
    rules = []
    for number, expression in enumerate(_expressions()):
        for variable, value in VARIABLES.items():
            expression = expression.replace(variable, value)  # noqa: PLW2901  bit by bit
        assert "$" not in expression
        rules.append({"record": f"asked:{number}", "expr": expression})
    file = tmp_path / "rules.yml"  # JSON is YAML
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    _promtool("check", "rules", str(file))


def test_promtool_finds_nothing_wrong_with_the_configuration_that_the_page_shows(
    tmp_path: Path,
) -> None:
    (shown,) = (
        each for each in blocks() if each.page == "docs/monitoring.md" and each.language == "yaml"
    )
    (tmp_path / "prometheus.yml").write_text(shown.text)
    (tmp_path / RULES.name).write_bytes(RULES.read_bytes())
    _promtool("check", "config", str(tmp_path / "prometheus.yml"))


def test_each_alert_says_what_to_do() -> None:
    text = RULES.read_text(encoding="utf-8")
    assert text.count("alert:") == text.count("summary:") == text.count("action:") > 10
