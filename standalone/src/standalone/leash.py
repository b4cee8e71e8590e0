"""Makes a child process end with its parent, even if the parent is killed."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1


def leash(end: signal.Signals) -> Callable[[], None] | None:
    """The `preexec_fn` for a child: the kernel sends it `end` when its parent dies. Linux only: elsewhere, the next
    start ends processes that were left."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl  # loaded before the fork: imports after it are not safe
    parent = os.getpid()

    def put_on() -> None:
        prctl(PR_SET_PDEATHSIG, int(end))
        if os.getppid() != parent:  # the parent died before the call
            os._exit(1)

    return put_on
