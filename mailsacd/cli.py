"""The operator's command line: `mailsacd`."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from mailsacd import __version__
from mailsacd.core.errors import ConfigurationError
from mailsacd.core.ready import Ready, is_alive, read_ready
from mailsacd.settings import default_data_dir, explain_settings, load_settings

_POLL_S: Final = 0.05


def _setting_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options by which twistd's plugin takes its settings too."""
    for option in (
        click.option("--set", "-s", "overrides", multiple=True, metavar="SECTION.KEY=VALUE"),
        click.option("--data-dir", "-d", type=click.Path(path_type=Path)),
        click.option("--config", "-c", type=click.Path(path_type=Path)),
    ):
        command = option(command)
    return command


@click.group()
@click.version_option(__version__, prog_name="mailsacd")
def main() -> None:
    """Look after a mailsacd server. `twistd -n mailsacd` runs it."""


@main.command()
@_setting_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def config(
    config: Path | None, data_dir: Path | None, overrides: tuple[str, ...], *, as_json: bool
) -> None:
    """Print the settings in force and where each value came from; secrets are hidden."""
    try:
        origins = explain_settings(config, overrides=_overrides(data_dir, overrides))
    except ConfigurationError as e:
        raise click.ClickException(e.public) from e
    if as_json:
        rows = [{"name": o.name, "value": o.value, "source": o.source} for o in origins]
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    width = max(len(f"{o.name} = {_shown(o.value)}") for o in origins)
    for origin in origins:
        print(f"{f'{origin.name} = {_shown(origin.value)}':{width}}  # {origin.source}")


@main.command()
@_setting_options
@click.option("--timeout", default=30.0, show_default=True, help="Seconds to wait.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def wait(
    config: Path | None,
    data_dir: Path | None,
    overrides: tuple[str, ...],
    timeout: float,
    *,
    as_json: bool,
) -> None:
    """Wait until the server is ready; print its ports. Exit status 1 when it is not in time."""
    try:
        settings = load_settings(config, overrides=_overrides(data_dir, overrides))
    except ConfigurationError as e:
        raise click.ClickException(e.public) from e
    directory = Path(settings.server.data_dir) if settings.server.data_dir else default_data_dir()
    ready = _wait_for(directory, time.monotonic() + timeout)
    if ready is None:
        print(f"mailsacd: not ready after {timeout:g} s (looked in {directory})", file=sys.stderr)
        sys.exit(1)
    if as_json:
        print(json.dumps({"pid": ready.pid, "version": ready.version, "ports": ready.ports}))
    else:
        print(" ".join(f"{name}={port}" for name, port in ready.ports.items()))


def _wait_for(directory: Path, deadline: float) -> Ready | None:
    while True:
        ready = read_ready(directory)
        if ready is not None and is_alive(ready.pid):
            return ready
        if time.monotonic() >= deadline:
            return None
        time.sleep(_POLL_S)


def _overrides(data_dir: Path | None, overrides: tuple[str, ...]) -> list[str]:
    return [*overrides, *([f"server.data_dir={data_dir}"] if data_dir else [])]


def _shown(value: Any) -> str:
    """``value`` as TOML writes it: JSON writes texts, numbers, booleans and lists the same."""
    return json.dumps(value, ensure_ascii=False)
