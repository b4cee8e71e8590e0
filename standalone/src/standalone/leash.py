"""A child that ends with its parent, even when the parent is killed and can tell it nothing."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1


def leash(end: signal.Signals) -> Callable[[], None] | None:
    """What a new child calls before it becomes its program. Linux only: elsewhere the next start clears up."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl  # looked up now: after the fork there is no time for imports
    parent = os.getpid()

    def put_on() -> None:
        prctl(PR_SET_PDEATHSIG, int(end))
        if os.getppid() != parent:  # it died in between
            os._exit(1)

    return put_on
