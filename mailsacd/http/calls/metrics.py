"""`/metrics`: what the operator's Prometheus asks for."""

from collections.abc import Awaitable, Callable, Iterable
from ipaddress import ip_address
from typing import Final

from mailsacd.core.errors import ForbiddenError
from mailsacd.core.networks import networks_of_setting
from mailsacd.http.api import schemas
from mailsacd.http.api.operation import Call, Operation
from mailsacd.http.server.answer import Response

METRICS: Final = b"text/plain; version=0.0.4; charset=utf-8"
"""Prometheus' text format."""

_SETTING: Final = "http.metrics_networks"


class MetricsCalls:
    """The handler of the call, and its declaration."""

    def __init__(self, text: Callable[[], Awaitable[bytes]], networks: Iterable[str]) -> None:
        """``text`` makes the answer for those in ``networks``. Raises ConfigurationError."""
        self._text = text
        self._networks = networks_of_setting(networks, _SETTING)

    def operations(self) -> tuple[Operation, ...]:
        """Declare the call, which is for the operator: no key is looked at, but where one is."""
        return (
            Operation(
                method="GET",
                path="/metrics",
                id="getMetrics",
                tag="Server",
                summary="Figures of how the server does, for Prometheus",
                description=f"For those in the networks of the setting `{_SETTING}` alone.",
                answers=(schemas.media_answer("In the text format of Prometheus", "text/plain"),),
                refusals=(403, 503),
                open=True,
                handler=self.metrics,
            ),
        )

    async def metrics(self, call: Call) -> Response:
        """Answer with all figures. Raises ForbiddenError, OverloadedError."""
        if not self._is_near(call.peer):
            raise ForbiddenError(f"You are in none of the networks of {_SETTING}")
        return Response(await self._text(), METRICS)

    def _is_near(self, peer: str) -> bool:
        try:
            address = ip_address(peer)
        except ValueError:
            return False
        return (getattr(address, "ipv4_mapped", None) or address) in self._networks
