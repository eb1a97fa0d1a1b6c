"""The machine: its disk, its clock, and how many files a process may open."""

import ctypes
import os
import resource
import shutil
from pathlib import Path
from typing import Final

from mailsacd.doctor.finding import OK, Finding, fault, ok, warning
from mailsacd.ports import files_needed
from mailsacd.settings import Settings

FULL_BELOW_BYTES: Final = 268_435_456
"""With less PostgreSQL may have no room for its log, and then no mail is taken."""

SCARCE_BELOW: Final = 0.1
"""Of the disk."""

_TIMEX_BYTES: Final = 512  # struct timex has 208 on 64 bit, and grows
_CLOCK_IS_NOT_SYNCHRONISED: Final = 5  # TIME_ERROR of adjtimex(2)


def look_at_machine(settings: Settings, directory: Path) -> list[Finding]:
    """Return what there is of disk, clock and files; ``directory`` is that of the data."""
    return [_disk(directory), _clock(), _files(settings)]


def _disk(directory: Path) -> Finding:
    there = next(step for step in (directory, *directory.parents) if step.exists())
    usage = shutil.disk_usage(there)
    told = f"{usage.free / 2**30:.1f} of {usage.total / 2**30:.1f} GiB are free in {there}"
    if usage.free < FULL_BELOW_BYTES:
        return fault("disk", told, "make room, or lower storage.max_bytes and storage.max_messages")
    if usage.free < usage.total * SCARCE_BELOW:
        return warning("disk", told, "lower storage.max_bytes, or see what else is there")
    return ok("disk", told)


def _clock() -> Finding:
    adjtimex = getattr(ctypes.CDLL(None), "adjtimex", None)
    if adjtimex is None:
        return ok("clock", "whether it is kept right is not known on this system")
    state = adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))  # no mode: nothing is changed
    if state == _CLOCK_IS_NOT_SYNCHRONISED:
        return warning(
            "clock",
            "nothing keeps it right, as far as the kernel knows",
            "install chrony or systemd-timesyncd, unless the host of this machine sees to it",
        )
    return ok("clock", "it is kept right" if state >= 0 else "the kernel does not say")


def _files(settings: Settings) -> Finding:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = files_needed(settings)
    told = f"{needed} may be needed, and {'any number' if hard < 0 else hard} may be open"
    if 0 <= hard < needed:
        return warning(
            "open files",
            f"{told} by who asks here",
            "raise LimitNOFILE= of the unit, or lower the max_connections of the ports",
        )
    return ok("open files", told)


def can_be_seen(directory: Path) -> Finding:
    """Return whether who asks may look at the data at all."""
    if directory.exists() and not os.access(directory, os.R_OK | os.X_OK):
        return fault("data", f"{directory} is somebody else's", "ask as its owner, or as root")
    if not directory.exists():
        return warning("data", f"{directory} is not there yet", "start the daemon, or --data-dir")
    return Finding(area="data", verdict=OK, told=str(directory))
