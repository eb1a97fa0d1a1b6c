"""nginx and Caddy before a daemon, with a site as a document or a test has it."""

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START_TIMEOUT_S = 30
# What surrounds a site on Debian, with everything below its own directory
_AROUND_NGINX = """
daemon off; pid nginx.pid; error_log stderr; worker_processes 1;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy;
    fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    {site}
}}
"""
_AROUND_CADDY = """
{{
    admin off
    auto_https off
    default_bind 127.0.0.1
}}
{site}
"""


@contextmanager
def running_nginx(home: Path, site: str) -> Iterator[int]:
    """Run nginx in ``home`` with a ``site`` that listens on port 80: yield its port instead."""
    home.chmod(0o755)  # its workers are somebody else
    port = _free_port()
    site = site.replace("listen 80;", f"listen 127.0.0.1:{port};")
    (home / "nginx.conf").write_text(_AROUND_NGINX.format(site=site))
    with _running([_program("nginx"), "-p", f"{home}", "-c", "nginx.conf", "-e", "stderr"], port):
        yield port


@contextmanager
def running_caddy(home: Path, site: str) -> Iterator[int]:
    """Run Caddy in ``home`` with a ``site`` that begins with its name: yield its port, for HTTP."""
    port = _free_port()
    site = re.sub(r"\A(\S+) \{", rf"http://\1:{port} {{", site)
    config = home / "Caddyfile"
    config.write_text(_AROUND_CADDY.format(site=site))
    command = [_program("caddy"), "run", "--adapter", "caddyfile", "--config", str(config)]
    with _running(
        command, port, HOME=str(home), XDG_DATA_HOME=str(home), XDG_CONFIG_HOME=str(home)
    ):
        yield port


@contextmanager
def _running(command: list[str], port: int, **environment: str) -> Iterator[None]:
    with subprocess.Popen(command, env=os.environ | environment) as proxy:
        try:
            _wait_for(port, proxy)
            yield
        finally:
            proxy.terminate()


def _program(name: str) -> str:
    found = shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    assert found, f"install {name}: `make test` sees to it"
    return found


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait_for(port: int, proxy: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while proxy.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError(f"what is to listen on {port} does not run")
