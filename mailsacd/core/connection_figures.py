"""What each port tells of its connections, whatever is spoken on it."""

from collections.abc import Sized

from mailsacd.core.figures import Count, Figures


def declare_connections(figures: Figures, port: str, connections: Sized) -> None:
    """Have ``figures`` tell how many ``connections`` there are by ``port``, its name."""
    figures.gauge("mailsacd_connections", "Open connections", lambda: len(connections), port=port)


def opened_connections(figures: Figures, port: str) -> Count:
    """Return the counter of all connections by ``port``, those that are turned away too."""
    return figures.counter("mailsacd_connections_total", "Connections that were made", port=port)


def refused_connections(figures: Figures, port: str, reason: str) -> Count:
    """Return the counter of those that are turned away for a ``reason``."""
    return figures.counter(
        "mailsacd_connections_refused_total",
        "Connections that were turned away",
        port=port,
        reason=reason,
    )
