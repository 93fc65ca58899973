"""Become another program that the kernel stops when our parent dies (Linux).

Run as a program of its own, before the one it becomes: what must happen between fork
and exec would run Python in a forked process with threads, which may hang.

    python -I -S tether.py SIGNAL PARENT USER:GROUP COMMAND…
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def become(request: int, parent: int, whom: str, command: list[str]) -> None:
    """Drop to `whom` (empty: stay), arrange for the signal, and become the command."""
    if whom:
        user, group = map(int, whom.split(":"))
        os.setgroups([])
        os.setgid(group)
        os.setuid(user)
    # After the change of user, which would undo it.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, request, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the parent died before its child began")
    os.execv(command[0], command)  # noqa: S606  # the command that our parent chose


if __name__ == "__main__":
    become(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:])
