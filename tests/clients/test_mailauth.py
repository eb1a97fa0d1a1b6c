"""Who sent a message: our results beside those of mailauth, as docs/authentication.md has them."""

import base64
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dkim as dkimpy

from mailsacd.mail.authentication.spf import check_spf
from tests.mail.authentication.cases import IP, Case, cases
from tests.mail.authentication.messages import arc, dkim, dmarc
from tests.mail.authentication.signer import MESSAGE, pem, record, rsa
from tests.mail.authentication.zone import FAILS, Zone

HERE = Path(__file__).parent
NODE = Path(sys.executable).parent / "node"
PAGE = HERE.parents[1] / "docs" / "authentication.md"


def _mailauth(asked: Sequence[dict[str, Any]]) -> list[Any]:
    """What the program for Node answers."""
    answer = subprocess.run(
        [NODE, HERE / "authenticate.mjs"], input=json.dumps(asked).encode(),
        capture_output=True, check=True, timeout=120,
    )  # fmt: skip
    found: list[Any] = json.loads(answer.stdout)
    return found


def _question(case: Case) -> dict[str, Any]:
    zone = {name: "fails" if found is FAILS else found for name, found in case.zone.items()}
    message = base64.b64encode(case.message).decode()
    return {"message": message, "ip": IP, "sender": case.sender, "zone": zone}


def _ours(case: Case) -> dict[str, Any]:
    zone = Zone(case.zone)
    spf = zone.run(check_spf(IP, case.sender, "mx.example"))
    return {
        "spf": spf.result,
        "dkim": [each.result for each in dkim(case.message, zone)] or ["none"],
        "dmarc": dmarc(case.message, zone, spf).result,
        "arc": arc(case.message, zone).result,
    }


def _shown(found: dict[str, Any]) -> str:
    return f"{found['spf']} · {', '.join(found['dkim'])} · {found['dmarc']} · {found['arc']}"


def _rows() -> list[tuple[str, str, str]]:
    """The table of the page: the message, our results, and mailauth's where they differ."""
    table = (PAGE.read_text() + "\n").partition("| message | mailsacd |")[2].partition("\n\n")[0]
    lines = [line.split(" | ") for line in table.splitlines()[2:]]
    return [(cells[0].lstrip("| "), cells[1].strip(), cells[2].strip()) for cells in lines]


def test_our_results_and_those_of_mailauth_are_as_the_page_shows_them() -> None:
    all_cases = list(cases())
    theirs = _mailauth([_question(case) for case in all_cases])
    expected = []
    for case, found in zip(all_cases, theirs, strict=True):
        ours, other = _shown(_ours(case)), _shown(found)
        expected.append((case.name, ours, "the same" if ours == other else other))
    assert _rows() == expected


def test_what_mailauth_signs_and_seals_passes_here() -> None:
    key = pem(rsa()).decode()
    (made,) = _mailauth([{"sign": base64.b64encode(MESSAGE).decode(), "key": key}])
    signed = base64.b64decode(made["signed"])
    text = record(rsa())
    zone = Zone(
        {"TXT s._domainkey.example.com": [text], "TXT arc._domainkey.relay.example": [text]}
    )
    assert [each.result for each in dkim(signed, zone)] == ["pass"]
    sealed = made["seal"].encode() + signed
    assert arc(sealed, zone).result == "pass"
    verdict, _, _ = dkimpy.arc_verify(sealed, dnsfunc=lambda *_, **__: text.encode())
    assert verdict == b"pass"
