"""The recipe in clients/testcontainers fits the image. No container is started."""

import re
from pathlib import PurePosixPath

from mailsacd.configuration import load_settings
from mailsacd_testcontainers import KEY_FILE, PORTS, SETTINGS
from tests.documents.blocks import ROOT, blocks_of

IMAGE = (ROOT / "packaging" / "container" / "Containerfile").read_text()


def test_ports_and_files_are_those_of_the_image() -> None:
    exposed = re.findall(r"^EXPOSE (.+)$", IMAGE, re.MULTILINE)
    assert exposed == [" ".join(str(port) for port in sorted(PORTS, key=_place))]
    assert f"MAILSACD_SERVER_DATA_DIR={PurePosixPath(KEY_FILE).parent} " in IMAGE


def _place(port: int) -> int:
    settings = load_settings(None, environment={})
    listeners = settings.smtp, settings.capture, settings.submission, settings.pop3, settings.http
    return [listener.port for listener in listeners].index(port)


def test_its_settings_are_those_of_the_daemon() -> None:
    settings = load_settings(None, environment=SETTINGS)
    assert not settings.relay.enabled
    assert settings.smtp.starttls == "never"


def test_its_readme_is_python() -> None:
    readme = ROOT / "clients" / "testcontainers" / "README.md"
    for block in blocks_of(readme):
        if block.language == "python":
            compile(block.text, str(block), "exec")
