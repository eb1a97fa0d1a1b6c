"""The packages of clients/node: built from the specification of this daemon, and tested with it."""

import os
import shutil
import subprocess
from pathlib import Path

from tests.clients.program import NODE, WITHOUT_DNS, environment
from tests.documents.blocks import ROOT, blocks_of
from tests.end_to_end.daemon import MakeDaemon

PACKAGES = ROOT / "clients" / "node"
TIMEOUT_S = 300  # the compiler alone takes several on a busy machine


def write_programs_of(readme: Path) -> None:
    """Write each program of a README to a file of its own, to be compiled, and run if it tests."""
    directory = readme.parent / "tests" / "from-readme"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    for block in blocks_of(readme):
        if block.language == "ts":
            kind = ".spec.ts" if "\ntest(" in block.text else ".ts"
            (directory / f"line-{block.line}{kind}").write_text(block.text, encoding="utf-8")


def npm(*arguments: str, variables: dict[str, str]) -> None:
    """Run npm among the packages; it ends well."""
    done = subprocess.run(
        [str(Path(NODE).with_name("npm")), *arguments],
        env=variables, cwd=PACKAGES, timeout=TIMEOUT_S, text=True, check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_the_packages_are_built_and_their_tests_pass(make_daemon: MakeDaemon) -> None:
    readmes = sorted(PACKAGES.glob("*/README.md"))
    assert [readme.parent.name for readme in readmes] == ["client", "cypress", "playwright"]
    for readme in readmes:
        write_programs_of(readme)
    daemon = make_daemon(*WITHOUT_DNS).start()
    variables = environment(daemon)
    url = variables["API"].removesuffix("/api")
    variables |= {
        "PATH": f"{Path(NODE).parent}:{variables['PATH']}",
        "HOME": str(daemon.data_dir.parent),
        "MAILSACD_URL": url,
        "MAILSACD_KEY": variables["KEY"],
        "OPENAPI": f"{url}/openapi.json",
        "CHROMIUM": os.environ.get("CHROMIUM") or shutil.which("chromium") or "",
    }
    npm("run", "build", variables=variables)
    npm("test", variables=variables)
    daemon.stop()
