"""Listening SMTP ports that are gone after the test, with nothing left in the budget."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import ensureDeferred

from mailsacd.certificate import CertificateStore, ReloadableContext
from mailsacd.settings import TlsSettings
from tests.smtp.listener import SmtpListener


@pytest.fixture
def listen() -> Iterator[Any]:
    """Makes listeners; see `SmtpListener` for its arguments."""
    listeners: list[SmtpListener] = []

    def make(*args: Any, **kwargs: Any) -> SmtpListener:
        listeners.append(SmtpListener(*args, **kwargs))
        return listeners[-1]

    yield make
    for listener in listeners:
        pytest_twisted.blockon(ensureDeferred(listener.stop()))
        assert listener.ingest.budget.held_bytes == 0
        assert not listener.ingest.budget._waiting


@pytest.fixture
def listener(listen: Any) -> SmtpListener:
    """A listener with the settings' defaults."""
    made: SmtpListener = listen()
    return made


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ReloadableContext:
    """A self-signed certificate."""
    directory: Path = tmp_path_factory.mktemp("tls")
    store = CertificateStore(TlsSettings(), data_dir=directory, hostname="mx.example")
    return store.context_factory
