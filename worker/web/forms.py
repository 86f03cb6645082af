"""What a page's form sends: text fields by name, nothing else. Uploads are not taken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, Request

from worker.errors import ConfigError, Problem

MEDIA_TYPE = "application/x-www-form-urlencoded"
_FIELDS = 6000  # a mapper with every column of a wide list


class Form:
    """Fields in the order sent; the last of a name wins where one is asked for."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self.pairs = pairs
        self._last = dict(pairs)

    def text(self, name: str) -> str:
        """Without blanks around it; "" when it was not sent."""
        return self._last.get(name, "").strip()

    def has(self, name: str) -> bool:
        """A ticked box, or the button that was pressed."""
        return name in self._last

    def every(self, name: str) -> list[str]:
        """All values of a name."""
        return [value for key, value in self.pairs if key == name]

    def rows(self, prefix: str) -> Iterator[Mapping[str, str]]:
        """Fields named `prefix.N.name`, as one mapping for each N in the order sent."""
        found: dict[str, dict[str, str]] = {}
        for key, value in self.pairs:
            head, _, rest = key.partition(".")
            number, _, name = rest.partition(".")
            if head == prefix and number and name:
                found.setdefault(number, {})[name] = value.strip()
        return iter(found.values())


async def posted(request: Request) -> Form:
    """The form of a request. Raises ConfigError when it is none."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != MEDIA_TYPE:
        raise ConfigError([Problem("form", "is not sent as a form.")], hint="Use the page's own form.")
    try:
        text = (await request.body()).decode()
        return Form(parse_qsl(text, keep_blank_values=True, max_num_fields=_FIELDS))
    except (UnicodeDecodeError, ValueError):
        raise ConfigError([Problem("form", "can't be read.")], hint="Load the page again.") from None


Posted = Annotated[Form, Depends(posted)]
