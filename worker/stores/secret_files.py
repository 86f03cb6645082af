"""Secrets as files of the data directory, which only their owner may read."""

from __future__ import annotations

import os
import re
from pathlib import Path

from worker.errors import UnavailableError

_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,99}")


class SecretFiles:
    """Implements ports.Secrets. A write replaces the file in one step, so that a reader never sees half a secret."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, name: str) -> str | None:
        """None when there is none. Raises UnavailableError when it can't be read."""
        path = self._path(name)
        try:
            return path.read_text(encoding="utf-8").strip() or None if path.is_file() else None
        except (OSError, UnicodeDecodeError) as error:
            raise UnavailableError(f"A stored secret can't be read ({type(error).__name__}).", hint=_HINT) from None

    def write(self, name: str, value: str) -> None:
        """Stores it. Raises UnavailableError when the directory can't be written."""
        path = self._path(name)
        partly = path.with_suffix(".new")
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            partly.unlink(missing_ok=True)
            with os.fdopen(os.open(partly, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                file.write(value)
            partly.replace(path)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise UnavailableError(f"The secret could not be stored ({reason}).", hint=_HINT) from None

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a secret")
        return self._folder / name


_HINT = "Check the rights of the folder 'secrets' in the data directory (SYNC_DATA_DIR)."
