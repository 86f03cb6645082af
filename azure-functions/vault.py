"""What the vault's references left in the environment, made ready for the worker.

A reference is replaced by the secret's text before the app starts. One that could not be resolved stays as it is, and
would be tried as a password somewhere; it is refused here by its name. A certificate comes as text too, while the
sign-in reads a file: each variable NAME_CERTIFICATE becomes a file that NAME_CERTIFICATE_PATH names.
"""

import base64
import binascii
import os
import tempfile
from collections.abc import MutableMapping
from pathlib import Path

from worker.errors import ConfigError, Problem

_REFERENCE = "@Microsoft.KeyVault("
_SUFFIX = "_CERTIFICATE"


def prepare_environment(environ: MutableMapping[str, str] = os.environ, folder: Path | None = None) -> None:
    """Writes certificates below `folder` (default: the machine's folder for such files). Raises ConfigError."""
    unresolved = [name for name, value in environ.items() if value.startswith(_REFERENCE)]
    if unresolved:
        problems = [Problem(name, "refers to a secret that the platform could not read.") for name in unresolved]
        hint = (
            "Give the app's identity the role Key Vault Secrets User, check that the secret is there, then restart the "
            "app. The portal shows the reason beside each setting (Environment variables)."
        )
        raise ConfigError(problems, hint=hint)
    target = folder or Path(tempfile.gettempdir()) / "economic-sync" / "certificates"
    for name in [name for name in environ if name.endswith(_SUFFIX) and environ[name].strip()]:
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        environ.setdefault(f"{name}_PATH", str(target / name))
        _write(target / name, _content(name, environ.pop(name).strip()))


def _content(name: str, text: str) -> bytes:
    """PEM as it is; anything else is a PFX in base64, as the vault hands out certificates."""
    if text.startswith("-----BEGIN"):
        return text.encode()
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        problem = Problem(name, "is neither PEM (key and certificate) nor a PFX in base64.")
        raise ConfigError([problem], hint="Store the certificate again as the guide says (infra/README.md).") from None


def _write(path: Path, content: bytes) -> None:
    """For nobody else to read, from its first byte on."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
