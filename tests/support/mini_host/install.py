"""Interpreters that run the app: Python 3.13 as in Azure when it is there, else the one that runs the tests."""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
APP = ROOT / "azure-functions"
TARGET = (3, 13)
_PINS = ROOT / "requirements-dev.txt"
RUNTIME = "azure-functions-runtime==1.3.0"
_HOME = Path(sys.prefix) if sys.prefix != sys.base_prefix else ROOT / ".data"


@functools.cache
def target_python() -> Path | None:
    """Python 3.13; None when this machine has none. FUNCTIONS_PYTHON names one that is not found by itself."""
    return next((path for path in _candidates() if _version_of(path) == TARGET), None)


def environment() -> Path:
    """The interpreter with the worker and the project's packages. Raises RuntimeError when it is not installed."""
    if not _stamp().exists():
        raise RuntimeError("The Functions worker is not installed. Run: python -m tests.support.mini_host install")
    return _folder() / "bin" / "python"


def install() -> None:
    """Nothing when these requirements are there. Raises SystemExit when pip fails."""
    if _stamp().exists():
        return
    base = target_python() or Path(sys.executable)
    shutil.rmtree(_folder(), ignore_errors=True)
    _run(str(base), "-m", "venv", str(_folder()))
    pip = [str(_folder() / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run(*pip, "-c", str(_PINS), "-r", str(ROOT / "requirements.txt"), "-r", str(APP / "requirements.txt"), *_wanted())
    if target_python() is None:
        # Its classifier says 3.13; with the older SDK it runs all the same. Azure's own worker for this version
        # comes in no package.
        _run(*pip, "--ignore-requires-python", "--no-deps", RUNTIME)
    _stamp().touch()


def _run(*command: str) -> None:
    if subprocess.run(command, check=False).returncode:
        raise SystemExit(f"This failed; its own words stand above: {' '.join(command)}")


def _wanted() -> list[str]:
    """What the project needs in Azure, as its metadata says."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [*project["dependencies"], *project["optional-dependencies"]["azure"]]


def _folder() -> Path:
    major, minor = TARGET if target_python() else sys.version_info[:2]
    return _HOME / f"functions-{major}.{minor}"


def _stamp() -> Path:
    """Named for what was installed."""
    wanted = [_PINS.read_text(), (APP / "requirements.txt").read_text(), *_wanted(), RUNTIME]
    return _folder() / f"installed-{hashlib.sha256(repr(wanted).encode()).hexdigest()[:12]}"


def _candidates() -> Iterator[Path]:
    if os.environ.get("FUNCTIONS_PYTHON"):
        yield Path(os.environ["FUNCTIONS_PYTHON"])
    name = f"python{TARGET[0]}.{TARGET[1]}"
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted(pyenv.glob(f"versions/{TARGET[0]}.{TARGET[1]}*/bin/{name}"))
    found = shutil.which(name)
    if found:
        yield Path(found)


def _version_of(python: Path) -> tuple[int, int] | None:
    """None when it does not even start, such as a version manager's shim without that version."""
    script = "import sys; print(*sys.version_info[:2])"
    try:
        done = subprocess.run([str(python), "-c", script], capture_output=True, text=True, check=False)
    except OSError:
        return None
    if done.returncode:
        return None
    major, minor = done.stdout.split()
    return int(major), int(minor)
