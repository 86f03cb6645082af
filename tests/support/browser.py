"""The browser of the browser tests: the system's own Chromium, which Debian's package brings. Playwright would fetch a
build of its own instead; tests download nothing.

    python -m tests.support.browser install

SYNC_CHROMIUM names another Chromium or Chrome, for systems without apt-get.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

VARIABLE = "SYNC_CHROMIUM"
PACKAGES = ("chromium", "fonts-liberation")  # a browser without a font draws no text
_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
_APT = ("--yes", "--quiet", "--quiet", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300")
_BY_HAND = f"apt-get install {' '.join(PACKAGES)}"


def chromium() -> Path | None:
    """What SYNC_CHROMIUM names, else the system's; None when there is none. Raises SystemExit for a wrong name."""
    named = os.environ.get(VARIABLE)
    if named:
        found = shutil.which(named)
        if found is None:
            raise SystemExit(f"{VARIABLE} names {named}, which is no program.")
        return Path(found)
    return next((Path(found) for name in _PROGRAMS if (found := shutil.which(name))), None)


def needed_chromium() -> Path:
    """For a test. Raises RuntimeError saying what to do."""
    found = chromium()
    if found is None:
        raise RuntimeError(f"Chromium is missing. Run: {_BY_HAND}, or name another one in {VARIABLE}.")
    return found


def install() -> None:
    """Nothing when there is a browser. Raises SystemExit saying what to do when it can't be installed from here."""
    if chromium() is not None:
        return
    apt = _apt_get()
    if apt is None:
        raise SystemExit(f"The browser tests need Chromium. Run as root: {_BY_HAND}, or name another in {VARIABLE}.")
    # Its lists may be missing or old; where they can't be renewed, those that are there may still do.
    subprocess.run([*apt, "update", "--quiet", "--quiet"], check=False)
    done = subprocess.run([*apt, "install", *_APT, *PACKAGES], check=False)
    if done.returncode or chromium() is None:
        raise SystemExit(f"Chromium could not be installed; the reason stands above. By hand: {_BY_HAND}")


def _apt_get() -> list[str] | None:
    """The command that may install packages without asking anybody; None when there is none."""
    apt, sudo = shutil.which("apt-get"), shutil.which("sudo")
    if apt is None:
        return None
    command = ["env", "DEBIAN_FRONTEND=noninteractive", apt]
    if os.geteuid() == 0:
        return command
    if sudo and subprocess.run([sudo, "--non-interactive", "true"], capture_output=True, check=False).returncode == 0:
        return [sudo, "--non-interactive", *command]
    return None


if __name__ == "__main__":
    if sys.argv[1:] != ["install"]:
        raise SystemExit("usage: python -m tests.support.browser install")
    install()
    print(f"Chromium is {chromium()}")
