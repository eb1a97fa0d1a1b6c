"""What the server calls itself, whatever the machine is called."""

import socket

import pytest

from mailsacd.core.errors import ConfigurationError
from mailsacd.data import hostname_of
from mailsacd.settings import ServerSettings, Settings


@pytest.mark.parametrize(
    ("machine", "told"),
    [
        ("mx1", "mx1"),
        ("MX1.example.com", "mx1.example.com"),
        ("9f329a2d0804d0938be99ca0bb36acdefa2b35e965f6f5bcebd2efecb25b2982", "localhost"),
        ("under_score", "localhost"),
        ("-a", "localhost"),
        (".".join(["a" * 63] * 4), "localhost"),
        ("", "localhost"),
    ],
)
def test_a_machine_whose_name_is_none_is_localhost(
    monkeypatch: pytest.MonkeyPatch, machine: str, told: str
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: machine)
    assert hostname_of(Settings()) == told
    if machine and told == "localhost":
        with pytest.raises(ConfigurationError, match="is not a host name"):
            hostname_of(Settings(server=ServerSettings(hostname=machine)))
