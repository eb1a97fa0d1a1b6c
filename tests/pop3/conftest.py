"""Listening POP3 ports that are gone after the test, with nothing left in the budget."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import ensureDeferred

from mailsacd.certificate import CertificateStore, ReloadableContext
from mailsacd.settings import TlsSettings
from tests.pop3.pop3_listener import Pop3Listener


@pytest.fixture
def listen() -> Iterator[Any]:
    """Makes listeners; see `Pop3Listener` for its arguments."""
    listeners: list[Pop3Listener] = []

    def make(*args: Any, **kwargs: Any) -> Pop3Listener:
        listeners.append(Pop3Listener(*args, **kwargs))
        return listeners[-1]

    yield make
    for listener in listeners:
        pytest_twisted.blockon(ensureDeferred(listener.stop()))
        assert listener.budget.held_bytes == listener.listings.held_bytes == 0
        assert not listener.budget._waiting


@pytest.fixture
def listener(listen: Any) -> Pop3Listener:
    """A listener with the settings' defaults."""
    made: Pop3Listener = listen()
    return made


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ReloadableContext:
    """A self-signed certificate."""
    directory: Path = tmp_path_factory.mktemp("tls")
    store = CertificateStore(TlsSettings(), data_dir=directory, hostname="pop.example")
    return store.context_factory
