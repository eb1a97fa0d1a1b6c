"""What a parent and a worker say to each other: lines of JSON, over the worker's first two pipes.

The worker's standard input brings its job, and its end tells the worker to stop: so the end of the
parent, however it comes, is one of its workers. On the standard output go the messages.
"""

import msgspec

from mailsacd.settings import Settings

MAX_LINE_BYTES = 1_048_576

ALIVE_EVERY_S = 2.0
"""So often a worker says that it lives."""


class SharedFiles(msgspec.Struct, frozen=True, kw_only=True):
    """Descriptors of memory that all workers share: ``limits`` (core.limit_memory),
    ``figures`` (mail.records)."""

    limits: int
    figures: int


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker does. ``descriptors`` are its listening sockets, by their listeners' names.

    ``shared`` is what it has in common with the others, and where it counts in that: its
    ``slot`` is of the figures, its ``seat`` of the limits.

    The settings hold secrets: they are never on a command line, nor in a log.
    """

    settings: Settings
    descriptors: dict[str, int]
    shared: SharedFiles
    slot: int
    seat: int


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The worker says that it serves its ports."""


class Alive(msgspec.Struct, frozen=True, tag="alive"):
    """The worker's reactor turns: said every ALIVE_EVERY_S."""


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """The worker says that it cannot serve, and ends."""

    why: str


class Logged(msgspec.Struct, frozen=True, tag="logged"):
    """An event of its log, with its ``values``: the parent's log has them all."""

    level: str
    system: str
    text: str
    values: dict[str, str | int | float | bool] = {}


Message = Ready | Alive | Failed | Logged


def as_line(said: Job | Message) -> bytes:
    """``said`` as the line of JSON that goes through the pipe."""
    return msgspec.json.encode(said) + b"\n"


def read_job(line: bytes) -> Job:
    """The job that a line from the pipe is. Raises DecodeError for anything else."""
    return msgspec.json.decode(line, type=Job)


def read_message(line: bytes) -> Message:
    """A message from the pipe. What is none was printed by somebody: it belongs into the log."""
    try:
        message: Message = msgspec.json.decode(line, type=Message)
    except msgspec.DecodeError:
        return Logged("warn", "stdout", line.decode("utf-8", "replace"))
    return message
