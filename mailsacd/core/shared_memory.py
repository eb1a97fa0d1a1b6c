"""Memory that the processes of a node share: a file that has no name, which workers inherit."""

import os
import tempfile


def make_unnamed_file(name: str, size: int) -> int:
    """Make a file of ``size`` bytes of 0, in memory where the system can.

    Returns its descriptor, which the caller closes. ``name`` is what tools show for it.
    """
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create(name)
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.truncate(descriptor, size)
    return descriptor
