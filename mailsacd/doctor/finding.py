"""What was found out about one thing."""

from dataclasses import dataclass
from typing import Final

OK: Final = "ok"
WARNING: Final = "warning"
FAULT: Final = "fault"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """``verdict`` is OK, WARNING or FAULT; ``advice`` is what to do about it, empty if it is OK."""

    area: str
    verdict: str
    told: str
    advice: str = ""


def ok(area: str, told: str) -> Finding:
    """Return that it is as it should be."""
    return Finding(area=area, verdict=OK, told=told)


def warning(area: str, told: str, advice: str) -> Finding:
    """Return that it works, but not as well as it might, or not for long."""
    return Finding(area=area, verdict=WARNING, told=told, advice=advice)


def fault(area: str, told: str, advice: str) -> Finding:
    """Return that something does not work."""
    return Finding(area=area, verdict=FAULT, told=told, advice=advice)
