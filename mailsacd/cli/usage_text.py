"""What `mailsacd account usage` prints for people."""

from typing import Any

from mailsacd.cli.command import table


def usage_text(shown: dict[str, Any]) -> str:
    """The report as text: the month's standing, and a table each for operations and mail."""
    percent = f", {100 * shown['operations'] // shown['limit']} %" if shown["limit"] else ""
    parts = [
        f"{shown['account']}: {shown['operations']} of {shown['limit']} operations"
        f" in {shown['month']}{percent}"
    ]
    uses = [
        [month["month"], kind, str(n)]
        for month in shown["months"]
        for kind, n in month["kinds"].items()
    ]
    keys = [
        [month["month"], key["key"] or "-", str(key["operations"])]
        for month in shown["months"]
        for key in month["keys"]
    ]
    for heading, rows in (
        (["MONTH", "KIND", "OPERATIONS"], uses),
        (["MONTH", "API KEY", "CALLS"], keys),
        (["MONTH OF", "DOMAIN", "MESSAGES", "BYTES"], _mail(shown["inboundByMonth"])),
        (["DAY", "DOMAIN", "MESSAGES", "BYTES"], _mail(shown["inboundByDay"])),
    ):
        if rows:
            parts.append(table([heading, *rows]))
    return "\n\n".join(parts)


def _mail(counts: list[dict[str, Any]]) -> list[list[str]]:
    return [[c["since"], c["domain"], str(c["messages"]), str(c["bytes"])] for c in counts]
