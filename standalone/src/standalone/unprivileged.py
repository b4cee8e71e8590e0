"""When started as root: runs a program under a user id of its own, without any privilege. Linux only.

The program can use a folder below folders that only root may enter: it is started in that folder and accesses it as
`/proc/self/cwd`, which needs no permission for the parent folders. It can reach nothing else there.
"""

import os
import pwd
import shutil
import subprocess
import zlib
from pathlib import Path

from standalone.errors import CannotStart

WORKING_FOLDER = "/proc/self/cwd"
FREE_UIDS = range(61_184, 65_520)
"""The ids that systemd assigns to services dynamically: no user and no packaged service has one."""


class CannotRunAsRoot(CannotStart):
    """PostgreSQL refuses to run as root, and `setpriv`, which drops privileges, is missing: run as an ordinary user."""

    def __init__(self) -> None:
        super().__init__(str(self.__doc__))


def uid_for(folder: Path) -> int:
    """An id of no user. It is the same each time, so that an interrupted `hand_over` can be repeated."""
    wanted = zlib.crc32(os.fsencode(folder))
    for offset in range(len(FREE_UIDS)):
        uid = FREE_UIDS[(wanted + offset) % len(FREE_UIDS)]
        try:
            pwd.getpwuid(uid)
        except KeyError:
            return uid
    raise CannotStart("There is no free user id for PostgreSQL: run as an ordinary user.")


def stepped_down(uid: int, folder: Path, command: list[str]) -> list[str]:
    """The command that runs `command` in `folder` as user and group `uid`, without other groups or capabilities."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise CannotRunAsRoot
    return [
        *("/bin/sh", "-c", 'cd "$0" && exec "$@"', str(folder)),
        *(setpriv, f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--no-new-privs"),
        *("--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all"),
        *("--pdeathsig", "INT", "--"),  # changing the user resets what `standalone.leash` has set
        *command,
    ]


def hand_over(folder: Path, uid: int) -> None:
    """Makes `uid` the owner of `folder` and of the files in it that belong to the folder's owner. The folder itself is
    changed last, so that an interrupted call can be repeated.

    A file with several hard links keeps its owner: the link may have been created to get access to a file elsewhere.
    """
    owner = folder.stat().st_uid
    for parent, folders, files in os.walk(folder, topdown=False):
        for path in (Path(parent, name) for name in [*folders, *files]):
            status = path.lstat()
            if status.st_uid == owner and (path.is_dir() or status.st_nlink == 1):
                os.chown(path, uid, uid, follow_symlinks=False)
    os.chown(folder, uid, uid)


def can_execute(uid: int, program: Path) -> bool:
    """Whether a program of PostgreSQL runs under `uid`: it does not if only root may enter a folder above it.

    Started by a shell, because `setpriv` itself keeps its capabilities until it executes something.
    """
    trial = stepped_down(uid, Path("/"), ["/bin/sh", "-c", 'exec "$0" --version', str(program)])
    return subprocess.run(trial, check=False, capture_output=True, start_new_session=True).returncode == 0  # noqa: S603
