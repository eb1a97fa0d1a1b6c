"""A Klein route that returns a constant: the most that any answer made by Klein can reach.

python -m bench.constant PORT
"""

import argparse
from typing import Any, Final

from klein import Klein
from twisted.internet import reactor
from twisted.web import server
from twisted.web.http import Request

_TWISTED: Final[Any] = reactor  # a reactor is many interfaces
_SITE: Final[Any] = server.Site  # not typed by Twisted


def constant(request: Request) -> bytes:  # noqa: ARG001  the same for every request
    """The same two bytes for everybody."""
    return b"{}"


def main() -> None:
    """Serve on a port of the loopback until killed."""
    parser = argparse.ArgumentParser(prog="python -m bench.constant", description=__doc__)
    parser.add_argument("port", type=int)
    port = parser.parse_args().port
    app = Klein()
    app.route("/")(constant)
    site = _SITE(app.resource())
    site.log = lambda request: None  # noqa: ARG005  the access log would cost a third
    _TWISTED.listenTCP(port, site, interface="127.0.0.1")
    _TWISTED.run()


if __name__ == "__main__":
    main()
