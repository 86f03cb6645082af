"""The parts of the README that are made from code: `python -m tests.support.readme` writes them anew."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from worker.domain.converters import CONVERTERS
from worker.domain.fields import CATALOGUE
from worker.settings import GROUPS, EngineSettings

README = Path(__file__).parents[2] / "README.md"


def settings_table() -> str:
    """Every setting, by variable name."""
    lines = ["| Variable | Default | Meaning |", "|---|---|---|"]
    for name, group in {**GROUPS, "engine": EngineSettings}.items():
        for key, info in group.model_fields.items():
            default = "required" if info.default is PydanticUndefined and info.default_factory is None else info.default
            if info.default_factory is not None or default is None:
                default = "-"
            secret = " *(secret)*" if SecretStr.__name__ in str(info.annotation) else ""
            lines.append(f"| `{name.upper()}_{key.upper()}` | {default} | {info.description}{secret} |")
    return "\n".join(lines)


def field_tables() -> str:
    """The source field catalogue: one table per source."""
    parts = []
    for source, fields in CATALOGUE.items():
        rows = ["| Field | Type | Meaning | e-conomic | Also accepted |", "|---|---|---|---|---|"]
        for field in fields.values():
            path = f"`{field.rest_path}`" if field.rest_path else "computed" if field.computed else "the run"
            aliases = ", ".join(field.aliases) or "-"
            rows.append(f"| **{field.name}** | {field.type.value} | {field.meaning} | {path} | {aliases} |")
        parts.append(f"**{source.value}**\n\n" + "\n".join(rows))
    return "\n\n".join(parts)


def converter_table() -> str:
    """The named converters."""
    rows = ["| Converter | What it does |", "|---|---|"]
    rows += [f"| `{name}` | {converter.meaning} |" for name, converter in CONVERTERS.items()]
    return "\n".join(rows)


BLOCKS = {"settings": settings_table, "fields": field_tables, "converters": converter_table}


def rendered(text: str) -> str:
    """`text` with every block between its markers made anew."""
    for name, make in BLOCKS.items():
        pattern = re.compile(rf"(<!-- {name}: made from code -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        body = make()
        text = pattern.sub(lambda match, body=body: f"{match[1]}{body}\n{match[2]}", text)
    return text


if __name__ == "__main__":
    README.write_text(rendered(README.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(f"{README.name} written\n")
