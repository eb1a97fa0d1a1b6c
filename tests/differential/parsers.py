"""The parsers that mailsacd is compared with, as they are to be had on this machine."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.differential import python_email
from tests.differential.program import Program
from tests.differential.view import View

_HERE = Path(__file__).parent
_ENVIRONMENT = Path(sys.prefix)

Parsers = Mapping[str, Callable[[bytes], View]]
"""By name: what tells how a parser sees a message."""


@contextmanager
def parsers() -> Iterator[Parsers]:
    """Start all parsers; they end with the context."""
    with ExitStack() as stack:
        found = {"email": python_email.view}
        for name in ("postal-mime", "mailparser"):
            program = Program([_ENVIRONMENT / "bin" / "node", _HERE / "parsers.mjs", name])
            stack.callback(program.close)
            found[name] = program.view
        if (cargo := shutil.which("cargo")) is not None:
            program = Program([_compiled(cargo)])
            stack.callback(program.close)
            found["mail-parser"] = program.view
        yield found


def _compiled(cargo: str) -> Path:
    """Our program around Rust's mail-parser, compiled if it has not been."""
    place = _ENVIRONMENT / "cargo"
    manifest = _HERE / "rust" / "Cargo.toml"
    subprocess.run(
        [cargo, "build", "--quiet", "--release", "--locked",
         "--manifest-path", manifest, "--target-dir", place],
        check=True,
    )  # fmt: skip
    return place / "release" / "mailsacd-differential"
