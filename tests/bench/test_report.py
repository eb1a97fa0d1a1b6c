"""The report that a run of the benchmarks writes."""

from pathlib import Path

import pytest

from bench.__main__ import main
from bench.report import BEGIN, END, NoPlaceError, write_report
from bench.rounds import Verdict

MET = Verdict(what="a | b: messages/s, / peer", figure="1.20", wanted="at least 1", met=True)
MISSED = Verdict(what="start", figure="  0.65 s", wanted="at most 0.5 s", met=False)


def test_it_takes_the_place_of_the_last_one(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n\n{BEGIN}\n\nolder\n{END}\n\nafter\n")
    write_report(page, [MET, MISSED], "a whole run")
    write_report(page, [MET, MISSED], "a whole run")
    text = page.read_text()
    assert text.startswith(f"before\n\n{BEGIN}\n\n2")
    assert text.endswith(f"|\n\n{END}\n\nafter\n")
    assert "older" not in text
    assert text.count("| start | 0.65 s | at most 0.5 s | **missed** |") == 1
    assert "| a \\| b: messages/s, / peer | 1.20 | at least 1 | met |" in text
    assert "1 of 2 goals are met" in text


def test_a_page_without_a_place_stays_as_it_is(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing")
    with pytest.raises(NoPlaceError):
        write_report(page, [MET], "a whole run")
    assert page.read_text() == "nothing"


def test_one_benchmark_alone_writes_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    monkeypatch.setattr("sys.argv", ["bench", "--report", str(page), "start"])
    with pytest.raises(SystemExit):
        main()
    assert "--report is for a whole run" in capsys.readouterr().err
    assert not page.exists()
