"""Makes the zip that is deployed: the app, the worker's wheel and every package, for the interpreter in Azure.

    python azure-functions/build.py --python python3.13 --out dist/functions.zip

Packages are chosen and fetched by the target interpreter's own pip, because environment markers are evaluated by
whichever pip runs, whatever it is told to build for. Nothing is left to a build in the cloud: what was tested is what
runs. Run it on Linux whose C library is no newer than that of the platform.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

APP = Path(__file__).resolve().parent
ROOT = APP.parent
RUNTIMES = ("3.11", "3.12", "3.13", "3.14")
TARGET = "3.13"  # the template's runtime
FILES = ("function_app.py", "vault.py", "host.json", "requirements.txt")
PACKAGES = Path(".python_packages") / "lib" / "site-packages"
SOURCES = ("pyproject.toml", "README.md", "LICENSE", "worker", "config")
# The emulators are for trials and tests. What pip notes about an installation names this machine's folders.
_LEFT_OUT = re.compile(
    r"(^|/)__pycache__(/|$)|\.pyc$|^bin/|^worker/emulators(/|$)|\.dist-info/(RECORD|REQUESTED|INSTALLER|direct_url\.json)$"
)
# What function_app.py imports, at once or when it opens the store.
_NEEDED = (
    *("azure.functions", "azure.identity", "azure.monitor.opentelemetry"),
    *("worker.wiring", "worker.exporters", "worker.web.app", "worker.stores.azure_queue", "worker.stores.azure_blobs"),
)
_IMPORT = """
import importlib, json, sys
sys.path.insert(0, sys.argv[1])
for name in sys.argv[2:]:
    importlib.import_module(name)
files = [getattr(module, "__file__", None) or "" for module in sys.modules.values()]
print(json.dumps(sorted(file for file in files if file.startswith(sys.argv[1]) and file.endswith(".py"))))
"""
_COMPILE = """
import json, py_compile, sys
for file in json.load(sys.stdin):
    shown = file.rpartition("site-packages/")[2]
    py_compile.compile(file, dfile=shown, doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
"""
_SHARED = "iglobe-economic-sync"
_MOMENT = (1980, 1, 1, 0, 0, 0)


class BuildError(Exception):
    """What is wrong and what to do, in a sentence or two."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Builds, and says what is in it."""
    options = _parser().parse_args(arguments)
    try:
        check_interpreter(options.python, options.runtime)
        check_settings(options.settings)
        with tempfile.TemporaryDirectory(prefix="functions-build-") as folder:
            stage = Path(folder) / "app"
            make_folder(stage, options.python, options.settings, Path(folder))
            make_zip(stage, options.out)
    except BuildError as error:
        print(f"Error: {error}", file=sys.stderr)  # noqa: T201  # a command's own words
        return 2
    print(summary(options.out))  # noqa: T201
    return 0


def check_interpreter(python: str, runtime: str) -> None:
    """Raises BuildError when it does not start, is another version, or builds for another system."""
    script = "import json, platform, sys; print(json.dumps([platform.python_version(), sys.platform]))"
    try:
        done = subprocess.run([python, "-c", script], capture_output=True, text=True, check=False)  # noqa: S603
    except OSError:
        done = None
    if done is None or done.returncode:
        raise BuildError(f"{python} does not start. Install Python {runtime}, and name it: --python /path/to/python")
    version, system = json.loads(done.stdout)
    if version.split(".")[:2] != runtime.split("."):
        raise BuildError(
            f"{python} is Python {version}, but the app runs on Python {runtime}. Name that one: --python "
            f"python{runtime}; or deploy for another (--runtime, and pythonVersion of the template)."
        )
    if system != "linux":
        raise BuildError(f"{python} runs on {system}, but the app runs on Linux. Build it there, or in WSL.")


def check_settings(settings: Path | None) -> None:
    """Raises BuildError when it is no TOML. What is in it is checked by the worker when it starts."""
    if settings is None:
        return
    try:
        tomllib.loads(settings.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BuildError(f"The settings file {settings} can't be used: {error}.") from None


def make_folder(stage: Path, python: str, settings: Path | None, scratch: Path) -> None:
    """The app as it is unpacked in Azure. Raises BuildError."""
    packages = stage / PACKAGES
    packages.mkdir(parents=True)
    for name in FILES:
        shutil.copy(APP / name, stage / name)
    if settings:
        shutil.copy(settings, stage / "settings.toml")
    wheel = build_wheel(python, scratch)
    how = ["--target", str(packages), "--only-binary=:all:", "--no-compile", "--no-warn-conflicts"]
    what = ["--constraint", str(ROOT / "requirements-dev.txt"), "--requirement", str(APP / "requirements.txt")]
    pip(python, ["install", *how, *what, f"{wheel}[azure]"])
    # Beside the package is where the worker looks first for the lists and profiles that it ships with.
    (packages / "share" / _SHARED).rename(packages / "config")
    prune(packages)
    compile_files(python, check_imports(python, stage))


def build_wheel(python: str, scratch: Path) -> Path:
    """The worker's wheel, built from a copy: the checkout is left as it is."""
    source, wheels = scratch / "source", scratch / "wheels"
    source.mkdir()
    for name in SOURCES:
        path = ROOT / name
        if path.is_dir():
            shutil.copytree(path, source / name, ignore=shutil.ignore_patterns("__pycache__", "settings.toml"))
        elif path.exists():
            shutil.copy(path, source / name)
    pip(python, ["wheel", "--no-deps", "--wheel-dir", str(wheels), str(source)])
    return next(wheels.glob("*.whl"))


def pip(python: str, arguments: Sequence[str]) -> None:
    """Raises BuildError with pip's last words."""
    command = [python, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "315532800"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise BuildError(f"pip failed ({' '.join(arguments[:2])}). It said:\n{done.stderr.strip()[-2000:]}")


def prune(packages: Path) -> None:
    """Takes out what is not for Azure."""
    for path in sorted(packages.rglob("*"), reverse=True):
        if _LEFT_OUT.search(path.relative_to(packages).as_posix()):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
    for path in sorted(packages.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def check_imports(python: str, stage: Path) -> list[str]:
    """What the app loads when it starts, by path. Raises BuildError when a package is missing: here rather than in
    Azure, where the app would have no functions."""
    command = [python, "-I", "-S", "-B", "-c", _IMPORT, str(stage / PACKAGES), *_NEEDED]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise BuildError(f"The app would not start: {done.stderr.strip().splitlines()[-1]}")
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    return found


def compile_files(python: str, files: Sequence[str]) -> None:
    """Ahead, because the deployed folder can't be written to: each new instance would compile them all again, which
    takes longer than the start itself. Whatever is not loaded at the start is left as it is."""
    command = [python, "-S", "-B", "-c", _COMPILE]
    environment = {"PYTHONHASHSEED": "0", "PATH": os.environ.get("PATH", "")}  # the same bytes each time
    subprocess.run(command, input=json.dumps(files), env=environment, text=True, check=True)  # noqa: S603


def make_zip(stage: Path, out: Path) -> None:
    """The same content gives the same bytes: sorted, without dates and owners."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as target:
        for path in sorted(path for path in stage.rglob("*") if path.is_file()):
            info = zipfile.ZipInfo(path.relative_to(stage).as_posix(), _MOMENT)
            info.external_attr = 0o644 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(info, path.read_bytes())


def summary(out: Path) -> str:
    """Size, the app's own files, and the packages with their share of it."""
    with zipfile.ZipFile(out) as source:
        infos = source.infolist()
    sizes, files = Counter[str](), Counter[str]()
    for info in infos:
        name = _part(info.filename)
        sizes[name] += info.compress_size
        files[name] += 1
    lines = [f"{out}: {_megabytes(out.stat().st_size)}, {len(infos)} files"]
    lines += [f"  {_megabytes(sizes[name]):>9}  {files[name]:5}  {name}" for name in _largest_first(sizes)]
    return "\n".join(lines)


def _largest_first(sizes: Counter[str], shown: int = 24) -> Iterable[str]:
    return [name for name, _ in sizes.most_common(shown)]


def _part(name: str) -> str:
    inside = name.removeprefix(f"{PACKAGES.as_posix()}/")
    return name if inside == name else f"packages: {'/'.join(inside.split('/')[:1])}"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.2f} MB"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Makes the zip that is deployed to Azure Functions.")
    parser.add_argument("--python", default=f"python{TARGET}", help="the interpreter as in Azure (default %(default)s)")
    parser.add_argument("--runtime", default=TARGET, choices=RUNTIMES, help="Python in Azure (default %(default)s)")
    parser.add_argument("--out", type=Path, default=ROOT / "dist" / "functions.zip", help="default dist/functions.zip")
    parser.add_argument(
        "--settings", type=Path, help="a settings file without secrets to pack, for several connections"
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
