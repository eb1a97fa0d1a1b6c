"""What `pip install .` brings: all that the daemon reads at run time, and the twistd plugin."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
NOT_PACKAGED = shutil.ignore_patterns(".*", "var", "build", "tests", "*.egg-info", "__pycache__")


def test_the_wheel_holds_the_plugin_and_everything_that_is_read_at_run_time(
    workspace: Path,
) -> None:
    source = workspace / "source"
    shutil.copytree(ROOT, source, ignore=NOT_PACKAGED)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(workspace)]
    subprocess.run([*command, str(source)], check=True, timeout=120)
    (wheel,) = workspace.glob("mailsacd-*.whl")
    packaged = set(zipfile.ZipFile(wheel).namelist())
    package = ROOT / "mailsacd"
    needed = {
        str(file.relative_to(ROOT))
        for file in package.rglob("*")
        if file.suffix in {".py", ".sql", ".typed", ".html", ".css", ".js"}
    }
    assert needed - packaged == set()
    assert "twisted/plugins/mailsacd_plugin.py" in packaged
    # with one of these, Twisted itself would be hidden
    assert not packaged & {"twisted/__init__.py", "twisted/plugins/__init__.py"}
