"""Programs that are no part of the project, run as clients of a daemon."""

import subprocess
import sys
from pathlib import Path

from tests.end_to_end.daemon import RunningDaemon

HERE = Path(__file__).parent
NODE = str(Path(sys.executable).with_name("node"))
TIMEOUT_S = 60

# No name server: what is asked of one comes to nothing, and soon
WITHOUT_DNS = ("--set", "dns.servers=127.0.0.1:1", "--set", "dns.timeout_s=0.1")
OFFERING = ("--set", "smtp.starttls=offer")


def key_of(daemon: RunningDaemon) -> str:
    """Return the key of the account admin."""
    return (daemon.data_dir / "admin.key").read_text().strip()


def environment(daemon: RunningDaemon, **more: str) -> dict[str, str]:
    """Return what a program has to know of the daemon, and ``more``."""
    ports = daemon.ready.ports
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "API": f"http://127.0.0.1:{ports['http']}/api",
        "SOCKET": f"ws://127.0.0.1:{ports['http']}/incoming-messages",
        "KEY": key_of(daemon),
        "NODE_EXTRA_CA_CERTS": str(daemon.data_dir / "tls.crt"),
        "SSL_CERT_FILE": str(daemon.data_dir / "tls.crt"),
        **{f"{name.upper()}_PORT": str(port) for name, port in ports.items()},
        **more,
    }


def run(command: list[str], variables: dict[str, str]) -> str:
    """Return what a program prints that ends well."""
    done = subprocess.run(
        command,
        env=variables, cwd=HERE, timeout=TIMEOUT_S, text=True, check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return done.stdout
