"""`make admin`: the gateway's administration of accounts, in the environment of the gateway that `make run` started."""

import os
import subprocess
import sys
from pathlib import Path

import psutil

from standalone.data_folder import MARK, DataFolder
from standalone.errors import CannotStart
from standalone.paths import ROOT
from standalone.settings import Settings

WIRING = ("DATABASE_URL", "NATS_URL")


def gateway_environment(folder: DataFolder) -> dict[str, str]:
    """Raises `CannotStart` while no gateway runs on the folder, or it is another user's process."""
    try:
        environment = psutil.Process(int(folder.pid_file("gateway").read_text())).environ()
        if environment.get(MARK) == str(folder.path):
            return {name: environment[name] for name in WIRING}
    except (OSError, ValueError, psutil.Error):
        pass
    raise CannotStart(f"nothing runs on {folder.path}: start it with make run, or name its folder with DATA_DIR")


if __name__ == "__main__":
    try:
        settings = Settings.read(os.environ, ROOT / ".env", Path.cwd())
        environment = os.environ | gateway_environment(DataFolder(settings.data_dir))
    except CannotStart as error:
        sys.exit(str(error))
    command = [sys.executable, "-m", "gateway.admin", *sys.argv[1:]]
    sys.exit(subprocess.run(command, env=environment, check=False).returncode)
