"""Azurite, Microsoft's emulator of a storage account: installed by npm beside the virtual environment, started on free
loopback ports, everything in memory.

    python -m tests.support.azurite install

Each test process starts servers of its own; only the installation is shared, and it is done once, before the tests.
"""

from __future__ import annotations

import atexit
import base64
import datetime
import functools
import hashlib
import ipaddress
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Self

import jwt
from azure.core.credentials import AccessToken
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

ACCOUNT = "testaccount"
OLDEST_NODE = 18
START_SECONDS = 60.0
_MANIFEST = Path(__file__).with_name("azurite") / "package.json"
_HOME = (Path(sys.prefix) if sys.prefix != sys.base_prefix else Path(__file__).parents[2] / ".data") / "azurite"
_PROGRAM = _HOME / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"
_LISTENING = re.compile(r"Azurite (Blob|Queue) service is successfully listening at (\S+)")


def install() -> None:
    """Nothing when this version is there. Raises SystemExit saying what is missing."""
    if _stamp().exists():
        return
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit(_missing("npm"))
    _HOME.mkdir(parents=True, exist_ok=True)
    shutil.copy(_MANIFEST, _HOME / "package.json")
    options = ["--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    done = subprocess.run([npm, "install", *options, "--prefix", str(_HOME)], check=False)
    if done.returncode:
        raise SystemExit(f"npm could not install Azurite into {_HOME}; its own words stand above.")
    _stamp().touch()


def _stamp() -> Path:
    """Named for what was installed: another version in the manifest is another stamp."""
    return _HOME / f"installed-{hashlib.sha256(_MANIFEST.read_bytes()).hexdigest()[:12]}"


def _missing(what: str) -> str:
    return (
        f"{what} is missing. The tests of the Azure store need Node.js {OLDEST_NODE} or newer with npm, for the "
        "storage emulator Azurite. Install Node.js, then run: python -m tests.support.azurite install"
    )


class Azurite:
    """A running server. `secure`: HTTPS that takes tokens, and refuses API versions newer than it knows, as an old
    service would; else HTTP that takes the account key and whatever version the SDK speaks."""

    def __init__(self, folder: Path, *, secure: bool = False) -> None:
        self._folder = folder
        self._secure = secure
        self._urls: dict[str, str] = {}
        self.key = base64.b64encode(secrets.token_bytes(64)).decode()
        self.ca_file = str(folder / "cert.pem") if secure else ""

    def __enter__(self) -> Self:
        node = shutil.which("node")
        if node is None:
            raise RuntimeError(_missing("Node.js"))
        if not _stamp().exists():
            raise RuntimeError("Azurite is not installed. Run: python -m tests.support.azurite install")
        self._log = self._folder / "azurite.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [node, str(_PROGRAM), *self._arguments()],
                cwd=self._folder,
                env={**os.environ, "AZURITE_ACCOUNTS": f"{ACCOUNT}:{self.key}"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self._await_start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()  # nothing of it outlives the tests, so there is nothing to tidy up
        self._process.wait()

    def url(self, service: str) -> str:
        """Of "blob" or "queue"."""
        return f"{self._urls[service]}/{ACCOUNT}"

    def connection(self, *, blob_url: str = "", queue_url: str = "") -> str:
        """The connection string; with other addresses by way of something that stands in between."""
        scheme = "https" if self._secure else "http"
        blob, queue = blob_url or self.url("blob"), queue_url or self.url("queue")
        return (
            f"DefaultEndpointsProtocol={scheme};AccountName={ACCOUNT};AccountKey={self.key};"
            f"BlobEndpoint={blob};QueueEndpoint={queue};"
        )

    def _arguments(self) -> list[str]:
        common = ["--inMemoryPersistence", "--silent", "--disableTelemetry"]
        ports = [word for service in ("blob", "queue", "table") for word in (f"--{service}Port", "0")]
        if not self._secure:
            return [*common, *ports, "--skipApiVersionCheck"]
        key_file = self._folder / "key.pem"
        _write_certificate(Path(self.ca_file), key_file)
        return [*common, *ports, "--oauth", "basic", "--cert", self.ca_file, "--key", str(key_file)]

    def _await_start(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            said = self._log.read_text(encoding="utf-8", errors="replace")
            self._urls = {service.lower(): url for service, url in _LISTENING.findall(said)}
            if {"blob", "queue"} <= self._urls.keys():
                return
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Azurite did not start. It said:\n{said[-2000:]}")
            time.sleep(0.05)


@functools.cache
def shared(*, secure: bool = False) -> Azurite:
    """The one server of this process and kind, started when it is first wanted. Tests keep apart by the names of their
    queues and containers."""
    folder = tempfile.TemporaryDirectory(prefix="azurite-", ignore_cleanup_errors=True)
    atexit.register(folder.cleanup)
    server = Azurite(Path(folder.name), secure=secure).__enter__()
    atexit.register(server.__exit__)
    return server


class UnsignedToken:
    """A credential whose token nobody signed: Azurite checks issuer, audience and times only."""

    def get_token(self, *scopes: str, **_: object) -> AccessToken:
        now = int(time.time())
        claims = {
            "iss": "https://sts.windows.net/00000000-0000-0000-0000-000000000000/",
            "aud": "https://storage.azure.com",
            "iat": now - 60,
            "nbf": now - 60,
            "exp": now + 3600,
        }
        return AccessToken(jwt.encode(claims, key="", algorithm="none"), now + 3600)


def _write_certificate(certificate_file: Path, key_file: Path) -> None:
    """A self-signed one for the loopback address, good for a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    key_file.write_bytes(key.private_bytes(*form))


def installed_version() -> str:
    """As npm left it; "" when it did not."""
    package = _PROGRAM.parents[2] / "package.json"
    return str(json.loads(package.read_text(encoding="utf-8"))["version"]) if package.exists() else ""


if __name__ == "__main__":
    if sys.argv[1:] != ["install"]:
        raise SystemExit("usage: python -m tests.support.azurite install")
    install()
    print(f"Azurite {installed_version()} is in {_HOME}")
