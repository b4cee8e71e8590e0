"""npm in `web/`, with the Node that the set-up found: `npm.py run check`."""

import os
import sys

from set_up import WEB, node

if __name__ == "__main__":
    environment, _ = node()
    os.chdir(WEB)
    os.execvpe("npm", ["npm", *sys.argv[1:]], environment)
