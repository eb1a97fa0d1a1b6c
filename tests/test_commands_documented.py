"""What the operator can say stands in the docs."""

from pathlib import Path

import click

from mailsacd.cli import main

DOCS = (Path(__file__).parents[1] / "docs" / "commands.md").read_text()


def _commands() -> list[str]:
    found = []
    for name, command in main.commands.items():
        if isinstance(command, click.Group):
            found += [f"{name} {inner}" for inner in command.commands]
        else:
            found.append(name)
    return found


def test_every_command_is_documented() -> None:
    assert [said for said in _commands() if f"`{said}" not in DOCS] == []
