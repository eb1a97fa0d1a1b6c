"""OpenDKIM, which is in C: what it says of a message."""

import subprocess
from collections.abc import Callable
from pathlib import Path


def opendkim(dns_port: int, directory: Path) -> Callable[[bytes], str]:
    """Return what tells what OpenDKIM says of a message; it blocks while that asks the DNS.

    The DNS is what listens on ``dns_port`` of this machine.
    """
    settings, file = directory / "opendkim.conf", directory / "message.eml"
    settings.write_text(
        f"Mode v\nSocket local:{directory}/socket\nNameservers 127.0.0.1@{dns_port}\n"
        "Syslog no\nAlwaysAddARHeader yes\n"
    )

    def verify(message: bytes) -> str:
        file.write_bytes(message)
        return subprocess.run(
            ["/usr/sbin/opendkim", "-x", str(settings), "-t", str(file), "-vv"],
            capture_output=True, text=True, check=False, timeout=30,
        ).stdout  # fmt: skip

    return verify
