"""Becomes a PostgreSQL program run by another user, tied to the life of its parent.

Run as a script: ``launch.py UID GID DEATH_SIGNAL PARENT_PID PROGRAM ARGUMENT…``. It starts as the
parent's user, so Python may live where the other user cannot read it.
PostgreSQL refuses to run as root; and with DEATH_SIGNAL (0 for none) it ends when a killed parent
cannot end it.
"""

import os
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def _main(uid: int, gid: int, death_signal: int, parent_pid: int, command: list[str]) -> None:
    prctl = None
    if death_signal and sys.platform == "linux":
        import ctypes  # noqa: PLC0415  before the user changes: Python may be unreadable after

        prctl = ctypes.CDLL(None).prctl
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    os.setsid()  # a Ctrl-C at the terminal is for the daemon, which stops PostgreSQL last
    os.umask(0o077)
    if prctl is not None:
        prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)  # after setuid, which clears it
        if os.getppid() != parent_pid:
            sys.exit(f"the parent {parent_pid} is gone")
    try:
        os.execv(command[0], command)  # noqa: S606  no shell is wanted
    except OSError as e:
        sys.exit(f"cannot run {command[0]}: {e.strerror}")


if __name__ == "__main__":
    _uid, _gid, _signal, _parent = map(int, sys.argv[1:5])
    _main(_uid, _gid, _signal, _parent, sys.argv[5:])
