"""The data of caniemail.com about mail clients, read from a file that the operator has.

It is the JSON that the site offers as ``/api/data.json`` and that the npm package caniemail brings
along. It is never fetched by the daemon.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Final

import msgspec

from mailsacd.core.errors import ConfigurationError
from mailsacd.mail.checks.client_support import WELL_KNOWN, ClientSupport, Feature

MAX_BYTES: Final = 20_000_000
_MAX_NAMED: Final = 100

_KNOWN: Final = frozenset("yna")  # yes, no, almost; "u" is not known
_Text = Annotated[str, msgspec.Meta(max_length=_MAX_NAMED)]
_Versions = dict[str, str]


class _Feature(msgspec.Struct):
    """A feature, and by client, platform and version whether it is there."""

    slug: _Text
    title: _Text
    stats: dict[_Text, dict[_Text, _Versions]]


class _Names(msgspec.Struct):
    """What clients and platforms are called."""

    family: dict[str, _Text]
    platform: dict[str, _Text]


class _Data(msgspec.Struct):
    """All of the file that is read."""

    nicenames: _Names
    data: list[_Feature]
    last_update_date: _Text = ""


def read_client_support(file: str, *, setting: str) -> ClientSupport:
    """Return what ``file`` tells of mail clients; ``""`` stands for what is known here.

    Features that the file does not have are taken from that. Raises ConfigurationError, which names
    the ``setting``, when the file cannot be read, or is no such data.
    """
    if not file:
        return WELL_KNOWN
    try:
        with Path(file).open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as e:
        raise ConfigurationError(f"{setting}: {file} cannot be read: {e.strerror}") from e
    if len(content) > MAX_BYTES:
        raise ConfigurationError(f"{setting}: {file} has more than {MAX_BYTES} bytes")
    try:
        found = msgspec.json.decode(content, type=_Data)
    except msgspec.MsgspecError as e:
        raise ConfigurationError(f"{setting}: {file} is no data of caniemail.com: {e}") from e
    features = {each.slug: _feature(each, found.nicenames) for each in found.data}
    return ClientSupport(
        source=f"caniemail.com {found.last_update_date[:10]}".strip(),
        features={**WELL_KNOWN.features, **features},
    )


def _feature(feature: _Feature, names: _Names) -> Feature:
    found = _verdicts(feature.stats, names)
    verdicts = [(client, verdict) for client, verdict in found if verdict in _KNOWN]
    return Feature(
        title=feature.title,
        unsupported=tuple(name for name, verdict in verdicts if verdict == "n"),
        partly=tuple(name for name, verdict in verdicts if verdict == "a"),
        clients=len(verdicts),
    )


def _verdicts(
    stats: Mapping[str, Mapping[str, _Versions]], names: _Names
) -> Iterator[tuple[str, str]]:
    """The clients, and the first letter of what is said of their newest version."""
    for family, platforms in stats.items():
        for platform, versions in platforms.items():
            if versions:
                client = names.family.get(family, family)
                newest = list(versions.values())[-1]
                yield f"{client} ({names.platform.get(platform, platform)})", newest[:1]
