"""`make dev`: the development mode of `standalone`, with the Node that the set-up found."""

import os
import sys

from set_up import BIN, node

if __name__ == "__main__":
    environment, _ = node()
    python = str(BIN / "python")
    os.execve(python, [python, "-m", "standalone", "--dev", *sys.argv[1:]], environment)
