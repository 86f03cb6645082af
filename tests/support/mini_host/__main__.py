"""python -m tests.support.mini_host install"""

import sys

from tests.support.mini_host.install import environment, install

if __name__ == "__main__":
    if sys.argv[1:] != ["install"]:
        raise SystemExit("usage: python -m tests.support.mini_host install")
    install()
    print(f"The Functions worker is in {environment()}")
