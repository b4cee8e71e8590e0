"""For tests: runs PostgreSQL in the folder given as argument until its input ends. Prints its addresses as JSON.

Only the standard library and `standalone.postgres`, so that a user who may not read this environment can run it.
"""

import asyncio
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

from standalone.ports import free_port
from standalone.postgres import SCHEMAS, Postgres


def main(folder: Path) -> None:
    server = Postgres(folder, free_port())
    server.initialise()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(server.command(), stdout=log, stderr=log)
    try:
        while not asyncio.run(server.create_roles()):
            time.sleep(0.05)
        addresses = {role: server.dsn(role) for role in SCHEMAS.values()} | {"port": server.port}
        sys.stdout.write(f"{json.dumps(addresses)}\n")
        sys.stdout.flush()
        sys.stdin.read()
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)


main(Path(sys.argv[1]))
