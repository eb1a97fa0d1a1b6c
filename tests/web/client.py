"""A browser without scripts: it keeps cookies, follows no redirects, and fills in forms."""

import re
import secrets
from collections.abc import Mapping
from html import unescape
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter

from tests.end_to_end.daemon import RunningDaemon

BROWSER: Final = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
PASSWORD: Final = "a long password of theirs"
TIMEOUT_S: Final = 30
_TOKEN: Final = re.compile(r'name="form_token" value="([^"]*)"')


class _FromAnAddressOfItsOwn(HTTPAdapter):
    """So that the accounts of one test are not too many for another (mail.accounts.guesses)."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Connect from a loopback address that nobody else has."""
        parts = (1 + secrets.randbelow(250) for _ in range(3))
        source = (f"127.{'.'.join(map(str, parts))}", 0)
        super().init_poolmanager(*args, source_address=source, **options)


class Client:
    """One person's."""

    def __init__(self, daemon: RunningDaemon) -> None:
        self.daemon = daemon
        self.base = f"http://127.0.0.1:{daemon.ready.ports['http']}"
        self.session = requests.Session()
        self.session.mount("http://", _FromAnAddressOfItsOwn())
        self.token = ""
        """Of the form that was seen last."""
        self.name = ""
        """That of the account, once there is one."""

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    def get(self, path: str, status: int = 200, *, accept: str = BROWSER) -> requests.Response:
        """The page at ``path``, which has to be answered with ``status``."""
        return self._seen(
            self.session.get(
                self.base + path,
                headers={"Accept": accept},
                allow_redirects=False,
                timeout=TIMEOUT_S,
            ),
            status,
        )

    def post(
        self, path: str, fields: Mapping[str, Any], status: int = 303, **headers: str
    ) -> requests.Response:
        """Send a form, with the token that was seen last unless ``fields`` have one."""
        return self._seen(
            self.session.post(
                self.base + path,
                {"form_token": self.token, **fields},
                headers={"Accept": BROWSER, **headers},
                allow_redirects=False,
                timeout=TIMEOUT_S,
            ),
            status,
        )

    def sign_up(self, name: str = "") -> str:
        """Make an account, and be signed in to it; its name."""
        name = name or f"somebody-{secrets.token_hex(4)}"
        self.get("/sign-up")
        fields = {"name": name, "email": f"{name}@elsewhere.example", "password": PASSWORD}
        self.post("/sign-up", fields)
        self.name = name
        return name

    def call(self, method: str, path: str, **body: Any) -> Any:
        """The JSON that the API answers to this session with, to a call that has to succeed."""
        answer = self.session.request(
            method, f"{self.base}/api{path}", json=body, timeout=TIMEOUT_S
        )
        assert answer.ok, answer.text
        return answer.json()

    def reserve(self, address: str) -> str:
        """Make ``address`` one of the account's own; the same."""
        self.call("POST", f"/addresses/{address}")
        return address

    def _seen(self, answer: requests.Response, status: int) -> requests.Response:
        assert answer.status_code == status, f"{answer.status_code}: {answer.text[:2000]}"
        found = _TOKEN.search(answer.text)
        if found:
            self.token = unescape(found[1])
        return answer
