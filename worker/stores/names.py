"""What every store accepts, checked the same way before anything is sent: a name that works on the office machine
works in Azure too. The tighter limit of the two stores counts.
"""

from __future__ import annotations

import re

from worker.errors import ConfigError, FatalError, Problem

MAX_NAME = 200
MAX_BODY = 48 * 1024  # bytes; base64 makes 64 KiB of it, the most an Azure queue takes
MAX_DELAY = 7 * 86400.0  # seconds
LEASE_SECONDS = (15.0, 60.0)  # what a blob lease can last

# A part that ends with a dot loses it in a blob's address, and `..` walks up the path.
_NAME = re.compile(r"(?:[A-Za-z0-9_:~.-]*[A-Za-z0-9_:~-])(?:/[A-Za-z0-9_:~.-]*[A-Za-z0-9_:~-])*")
_PREFIX = re.compile(r"[A-Za-z0-9_:~./-]*")
_SETTING = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_SHORTEST = 3
_SHOWN = 60


def checked_name(name: str) -> str:
    """The name of a record or lease. Raises FatalError when no store could keep it."""
    if len(name) > MAX_NAME or not _NAME.fullmatch(name):
        raise FatalError(
            f"{_shown(name)} can't be the name of a record.",
            hint="Use parts of letters a-z, digits and - _ . : ~, joined by /; no part is empty or ends with a dot; "
            f"at most {MAX_NAME} signs.",
        )
    return name


def checked_prefix(prefix: str) -> str:
    """The beginning of names, "" = all. Raises FatalError when no name can begin so."""
    if len(prefix) > MAX_NAME or not _PREFIX.fullmatch(prefix):
        raise FatalError(f"No name of a record begins with {_shown(prefix)}.")
    return prefix


def checked_queue(name: str) -> str:
    """The name of a queue; room is left for "-poison". Raises ConfigError."""
    return _checked_setting("queue", name, 56)


def checked_container(name: str) -> str:
    """The name of a container for records. Raises ConfigError."""
    return _checked_setting("container", name, 63)


def checked_body(body: str) -> str:
    """A message. Raises FatalError when it is too long for a queue."""
    size = len(body.encode())
    if size > MAX_BODY:
        raise FatalError(f"A message of {size} bytes was to be sent; {MAX_BODY} is the most a queue takes.")
    return body


def checked_delay(seconds: float) -> float:
    """How long a message stays hidden. Raises FatalError outside 0 to 7 days."""
    if not 0 <= seconds <= MAX_DELAY:
        raise FatalError(f"A message can be hidden for 0 to {MAX_DELAY:.0f} seconds, not {seconds:g}.")
    return seconds


def checked_lease(seconds: float) -> float:
    """How long a lease lasts. Raises FatalError outside 15 to 60 s."""
    shortest, longest = LEASE_SECONDS
    if not shortest <= seconds <= longest:
        raise FatalError(f"A lease lasts {shortest:.0f} to {longest:.0f} seconds, not {seconds:g}.")
    return seconds


def _checked_setting(what: str, name: str, longest: int) -> str:
    if not (_SHORTEST <= len(name) <= longest and _SETTING.fullmatch(name)):
        problem = f"has to be 3 to {longest} signs: small letters, digits and single dashes between them."
        raise ConfigError([Problem(f"{what} name {_shown(name)}", problem)])
    return name


def _shown(name: str) -> str:
    return repr(name if len(name) <= _SHOWN else f"{name[:_SHOWN]}...")
