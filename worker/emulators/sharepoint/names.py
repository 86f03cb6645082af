"""SharePoint's name encodings (reference, sections 6.1 and 6.4)."""

import re

INTERNAL_LIMIT = 32
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9]")


def encode_name(text: str) -> str:
    """`text` with every character but ASCII letters and digits as `_xNNNN_`."""
    return _NOT_PLAIN.sub(lambda match: f"_x{ord(match.group()):04x}_", text)


def internal_name(display_name: str, taken: set[str]) -> str:
    """The internal name SharePoint derives from a display name: encoded, cut at 32, a digit when taken."""
    name = "".join(char if char == "_" else encode_name(char) for char in display_name)[:INTERNAL_LIMIT]
    return _free(name, taken)


def list_url_name(title: str, taken: set[str]) -> str:
    """The URL name of a list made with `title`: characters a URL cannot hold are left out."""
    return _free(re.sub(r'[~"#%&*:<>?/\\{|}]', "", title).strip() or "List", taken)


def property_name(internal: str) -> str:
    """REST's EntityPropertyName of a column: a leading underscore gets `OData_` before it."""
    return f"OData_{internal}" if internal.startswith("_") else internal


def entity_type(url_name: str) -> str:
    """ListItemEntityTypeFullName of a list with this URL name."""
    return f"SP.Data.{encode_name(url_name)}ListItem"


def _free(name: str, taken: set[str]) -> str:
    lowered = {other.lower() for other in taken}
    candidate, number = name, 0
    while candidate.lower() in lowered:
        candidate = f"{name}{number}"
        number += 1
    return candidate
