"""How the value of a setting is found.

It comes from the first of these that gives one: ``--set section.key=value``, the environment
(``MAILSACD_SECTION_KEY``), a file named ``section.key`` in the directory of the service's
credentials (systemd's ``LoadCredential=``), the TOML file, the default in mailsacd.settings. The
outcome is frozen.
An unknown section or key is an error that names the nearest known one.
"""

import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from mailsacd.core.errors import ConfigurationError
from mailsacd.plan_settings import DEFAULT_PLAN, PlanSettings
from mailsacd.settings import Settings

_ENVIRONMENT_PREFIX: Final = "MAILSACD_"
_SECRETS: Final = frozenset(
    {"database.dsn", "database.direct_dsn", "database.replica_dsn", "relay.smarthost_password"}
)
_PLAN_SETTING: Final = re.compile(
    rf"plans\.[a-z][a-z0-9]{{0,30}}\.({'|'.join(PlanSettings.__struct_fields__)})\Z"
)


class _Text(str):
    """A value from outside the file: a TOML value, a bare text, or texts between commas."""

    __slots__ = ()


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where a value in force came from: ``default``, a file's path, a variable or ``--set``."""

    name: str
    value: Any
    source: str


def load_settings(
    file: Path | None = None,
    environment: Mapping[str, str] = os.environ,
    overrides: Iterable[str] = (),
) -> Settings:
    """The settings in force. ``overrides`` are ``section.key=value`` texts.

    Raises ConfigurationError that names the file, variable or option at fault, and the key.
    """
    return _resolve(file, environment, overrides)[0]


def explain_settings(
    file: Path | None = None,
    environment: Mapping[str, str] = os.environ,
    overrides: Iterable[str] = (),
) -> list[Origin]:
    """Each setting in force with its source, in the order of the documentation; secrets hidden."""
    settings, sources = _resolve(file, environment, overrides)
    return [
        Origin(
            name=name,
            value="(hidden)" if name in _SECRETS and value else value,
            source=sources.get(name, "default"),
        )
        for name, value in flatten(settings).items()
    ]


def flatten(settings: Settings) -> dict[str, Any]:
    """The settings as ``section.key`` to value, tuples as lists."""
    return {
        f"{section}.{key}": value
        for section, values in _tables(msgspec.json.decode(msgspec.json.encode(settings)))
        for key, value in values.items()
    }


def _resolve(
    file: Path | None, environment: Mapping[str, str], overrides: Iterable[str]
) -> tuple[Settings, dict[str, str]]:
    known = flatten(Settings())
    nested: dict[str, Any] = {"plans": {DEFAULT_PLAN: {}}}
    sources: dict[str, str] = {}
    for name, value, source in (
        *_from_file(file),
        *_from_credentials(environment, known),
        *_from_environment(environment, known),
        *_from_overrides(overrides),
    ):
        if name not in known and not _PLAN_SETTING.match(name):
            raise ConfigurationError(f"{source}: no setting {name!r}{_nearest(name, known)}")
        _put(nested, name, _typed(name, value, source))
        sources[name] = source
    settings = msgspec.convert(nested, Settings)
    if settings.accounts.default_plan not in settings.plans:
        raise ConfigurationError(
            f"accounts.default_plan: there is no [plans.{settings.accounts.default_plan}]"
        )
    return settings, sources


def _put(nested: dict[str, Any], name: str, value: object) -> None:
    *path, key = name.split(".")
    for table in path:
        nested = nested.setdefault(table, {})
    nested[key] = value


def _tables(document: Mapping[str, Any]) -> Iterable[tuple[str, Mapping[str, Any]]]:
    """The tables that hold settings, by their whole names."""
    for section, values in document.items():
        if section == "plans":
            for plan, limits in values.items():
                yield f"plans.{plan}", limits
        else:
            yield section, values


def _from_file(file: Path | None) -> Iterable[tuple[str, Any, str]]:
    if file is None:
        return
    try:
        with file.open("rb") as f:
            document = tomllib.load(f)
    except (OSError, ValueError) as e:  # not to be read, no TOML, or not even UTF-8
        raise ConfigurationError(f"{file}: {e}") from e
    for section, values in document.items():
        if not isinstance(values, dict):
            raise ConfigurationError(f"{file}: {section!r} stands outside of a [section]")
    for section, values in _tables(document):
        if not isinstance(values, dict):
            raise ConfigurationError(f"{file}: a plan is a table of its own: [plans.NAME]")
        for key, value in values.items():
            yield f"{section}.{key}", value, str(file)


def _from_credentials(
    environment: Mapping[str, str], known: Mapping[str, Any]
) -> Iterable[tuple[str, Any, str]]:
    """Of the credentials that systemd gives the service those that are settings.

    There may be others, which are for other programs of the unit.
    """
    directory = environment.get("CREDENTIALS_DIRECTORY")
    if not directory:
        return
    for name in known:
        file = Path(directory) / name
        try:
            text = file.read_text(encoding="utf-8")
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as e:
            raise ConfigurationError(f"{file}: {e}") from e
        yield name, _Text(text.removesuffix("\n")), str(file)


def _from_environment(
    environment: Mapping[str, str], known: Mapping[str, Any]
) -> Iterable[tuple[str, Any, str]]:
    names = {_ENVIRONMENT_PREFIX + name.replace(".", "_").upper(): name for name in known}
    for variable in sorted(environment):
        if variable.startswith(_ENVIRONMENT_PREFIX):
            name = names.get(variable) or _plan_setting(variable)
            if name is None:
                raise ConfigurationError(f"no setting for {variable}{_nearest(variable, names)}")
            yield name, _Text(environment[variable]), variable


def _plan_setting(variable: str) -> str | None:
    """``MAILSACD_PLANS_TEAM_MESSAGE_LIMIT`` is ``plans.team.message_limit``."""
    plan, _, key = variable.lower().removeprefix("mailsacd_plans_").partition("_")
    name = f"plans.{plan}.{key}"
    return name if _PLAN_SETTING.match(name) else None


def _from_overrides(overrides: Iterable[str]) -> Iterable[tuple[str, Any, str]]:
    for text in overrides:
        name, equals, value = text.partition("=")
        if not equals:
            raise ConfigurationError(f"--set {text}: write it as section.key=value")
        yield name.strip(), _Text(value), f"--set {name.strip()}"


def _typed(name: str, value: object, source: str) -> object:
    """``value`` as the type of the setting. Raises ConfigurationError when it is none."""
    candidates = [value]
    if isinstance(value, _Text):
        bare = str(value)
        candidates = [*_as_toml(bare), bare, [v.strip() for v in bare.split(",") if v.strip()]]
    problem = ""
    for candidate in candidates:
        try:
            nested: dict[str, Any] = {}
            _put(nested, name, candidate)
            converted = msgspec.convert(nested, Settings)
        except msgspec.ValidationError as e:
            problem = problem or str(e).partition(" - at ")[0]
        else:
            return _get(converted, name)
    raise ConfigurationError(f"{source}: {name} = {value!r}: {problem}")


def _get(settings: Settings, name: str) -> object:
    found: Any = settings
    for part in name.split("."):
        found = found[part] if isinstance(found, dict) else getattr(found, part)
    return found


def _as_toml(text: str) -> list[Any]:
    try:
        return [tomllib.loads(f"v = {text}")["v"]]
    except tomllib.TOMLDecodeError:
        return []


def _nearest(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else ""


def default_data_dir(environment: Mapping[str, str] = os.environ) -> Path:
    """Where the data goes when no setting says: the system's place for root, else the user's."""
    if os.geteuid() == 0:
        return Path("/var/lib/mailsacd")
    base = environment.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "mailsacd"
