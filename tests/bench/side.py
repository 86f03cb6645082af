"""Both emulators in a process of their own, so that only the worker is measured."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import requests

LATENCY_MS = 80


class Emulators:
    """`economic-sync emulate` with a data set; addresses, counters and knobs over HTTP."""

    def __init__(self, folder: Path, size: str, latency_ms: int = LATENCY_MS) -> None:
        command = [sys.executable, "-m", "worker", "emulate", "--json", "--data", str(folder), "--size", size]
        command += ["--economic-port", "0", "--sharepoint-port", "0", "--units-per-minute", "1000000000"]
        self._latency = latency_ms
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        ready = json.loads(self._process.stdout.readline())
        self.economic, self.sharepoint = ready["economic"], ready["sharepoint"]
        self.folder = folder

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()

    @property
    def site_url(self) -> str:
        return f"{self.sharepoint}/sites/crm"

    def control(self, side: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        base = f"{getattr(self, side)}/_emulator/{path}"
        answer = requests.get(base, timeout=600) if body is None else requests.post(base, json=body, timeout=600)
        answer.raise_for_status()
        return answer.json()

    def slow_down(self) -> None:
        """The injected latency per request; off while setting up."""
        for side in ("economic", "sharepoint"):
            self.control(side, "latency", {"ms": self._latency})

    def reset_counts(self) -> None:
        for side in ("economic", "sharepoint"):
            self.control(side, "stats/reset", {})

    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "ECONOMIC_APP_SECRET": "test-app-secret",
            "ECONOMIC_GRANT_TOKEN": "test-token",
            "ECONOMIC_BASE_URL": self.economic,
            "ECONOMIC_OPENAPI_URL": self.economic,
            "SHAREPOINT_SITE_URL": self.site_url,
            "SHAREPOINT_AUTH": "static-token",
            "SHAREPOINT_TOKEN": "test-token",
            "SHAREPOINT_UNITS_PER_MINUTE": "1000000000",
            "SYNC_DATA_DIR": str(self.folder / "worker"),
        }
