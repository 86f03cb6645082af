"""Log lines for people (text) or for programs (one JSON object a line), with secrets masked in both.

Standard logging only. Fields of the run come from `telemetry.log_context`.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal, TextIO

from worker.telemetry import log_fields

_TEXT = "%(asctime)s %(levelname)s %(name)s %(message)s"
_TOKENS = re.compile(
    r"(?i)(bearer\s+)[\w.~+/=-]{8,}|\beyJ[\w-]{5,}\.[\w-]+\.[\w-]*|([?&](?:sig|code|key|token)=)[^&\s]+"
)
_SHORTEST = 6  # a shorter secret would mask ordinary words
_late: set[str] = set()


def also_mask(secret: str) -> None:
    """A secret that came to be known after the logs were set up."""
    if len(secret) >= _SHORTEST:
        _late.add(secret)


class Masked(logging.Filter):
    """Masks secrets in messages and in what is put into them."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        self._secrets = tuple(sorted({one for one in secrets if len(one) >= _SHORTEST}, key=len, reverse=True))

    def filter(self, record: logging.LogRecord) -> bool:
        """Always lets the record pass."""
        record.msg, record.args = self.masked(record.getMessage()), None
        if record.exc_info and record.exc_info[1] is not None:
            record.exc_text = self.masked(logging.Formatter().formatException(record.exc_info))
        return True

    def masked(self, text: str) -> str:
        """The text without secrets."""
        for secret in (*self._secrets, *_late):
            text = text.replace(secret, "***")
        return _TOKENS.sub(lambda found: f"{found[1] or found[2] or ''}***", text)


class JsonFormatter(logging.Formatter):
    """One object a line: time (UTC), level, logger, message, the run's fields, and an error's trace."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, str] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **log_fields(),
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            line["traceback"] = record.exc_text or self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def set_up_logs(
    fmt: Literal["text", "json"] = "text",
    level: int = logging.INFO,
    secrets: Iterable[str] = (),
    stream: TextIO | None = None,
) -> None:
    """Replaces the root logger's handlers by one on `stream` (standard error)."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if fmt == "json" else logging.Formatter(_TEXT))
    handler.addFilter(Masked(secrets))
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    quiet_libraries()


def quiet_libraries() -> None:
    """What libraries say that is said better, or that nobody may read."""
    # Their lines at INFO name every address, queries included.
    for name in ("urllib3", "azure", "msal", "httpx", "uvicorn"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # It logs an error with its trace, and raises it as well: people get one sentence.
    logging.getLogger("office365").setLevel(logging.CRITICAL)
