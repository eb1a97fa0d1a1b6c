"""Commands about the server itself: its settings, and whether it is ready."""

import json
import sys
import time
from pathlib import Path
from typing import Any, Final

import click

from mailsacd.cli.command import Common, command
from mailsacd.configuration import explain_settings
from mailsacd.core.errors import ConfigurationError
from mailsacd.core.ready import Ready, read_ready
from mailsacd.data import data_directory

_POLL_S: Final = 0.05


@click.command()
@command
def config(common: Common) -> None:
    """Print the settings in force and where each value came from; secrets are hidden."""
    try:
        origins = explain_settings(common.config, overrides=common.overrides)
    except ConfigurationError as e:
        raise click.ClickException(e.public) from e
    if common.as_json:
        rows = [{"name": o.name, "value": o.value, "source": o.source} for o in origins]
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    width = max(len(f"{o.name} = {_shown(o.value)}") for o in origins)
    for origin in origins:
        print(f"{f'{origin.name} = {_shown(origin.value)}':{width}}  # {origin.source}")


@click.command()
@click.option("--timeout", default=30.0, show_default=True, help="Seconds to wait.")
@command
def wait(common: Common, timeout: float) -> None:
    """Wait until the server is ready; print its ports. Exit status 1 when it is not in time."""
    settings = common.settings()
    directory = data_directory(settings)
    ready = _wait_for(directory, time.monotonic() + timeout)
    if ready is None:
        print(f"mailsacd: not ready after {timeout:g} s (looked in {directory})", file=sys.stderr)
        sys.exit(1)
    common.show(
        {"pid": ready.pid, "version": ready.version, "ports": ready.ports},
        " ".join(f"{name}={port}" for name, port in ready.ports.items()),
    )


def _wait_for(directory: Path, deadline: float) -> Ready | None:
    while True:
        ready = read_ready(directory)
        if ready is not None:
            return ready
        if time.monotonic() >= deadline:
            return None
        time.sleep(_POLL_S)


def _shown(value: Any) -> str:
    """``value`` as TOML writes it: JSON writes texts, numbers, booleans and lists the same."""
    return json.dumps(value, ensure_ascii=False)
