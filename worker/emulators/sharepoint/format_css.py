"""Colours for the classes that formatting uses, near those of SharePoint's own palette, in light and dark."""

from __future__ import annotations

# Name of the tone: background and letters, light and dark.
_TONES = {
    "MintGreen": ("#c6ecd6", "#0b5a2b", "#123d24", "#8fe0b0"),
    "Gold": ("#fce9b1", "#6b4a00", "#453411", "#f5d06f"),
    "Peach": ("#ffdcc2", "#8a3707", "#4a2612", "#ffb48a"),
    "DustRose": ("#f7cdd0", "#8b1a24", "#4d1d22", "#ff9aa2"),
    "Coral": ("#ffd2cb", "#9c2b1b", "#4c211b", "#ffa598"),
    "CornflowerBlue": ("#d5e4fb", "#1b4b91", "#1b2f52", "#a5c8ff"),
    "LightGray": ("#e6e4e2", "#484644", "#3b3a39", "#d2d0ce"),
}
_SEVERITIES = {
    "good": "MintGreen",
    "low": "LightGray",
    "warning": "Gold",
    "severeWarning": "Peach",
    "blocked": "DustRose",
}


def _rules(light: bool) -> str:
    lines = []
    for tone, colours in _TONES.items():
        back, ink = colours[:2] if light else colours[2:]
        severity = "".join(f", .sp-field-severity--{name}" for name, of in _SEVERITIES.items() if of == tone)
        lines.append(f".sp-css-backgroundColor-Bg{tone}{severity} {{ background-color: {back}; }}")
        lines.append(f".sp-css-color-{tone}Font {{ color: {ink}; }}")
    return "\n".join(lines)


CSS = f"""
{_rules(light=True)}
@media (prefers-color-scheme: dark) {{
{_rules(light=False)}
}}
.ms-fontColor-neutralSecondary {{ color: var(--soft); }}
.format-error {{ color: #a4262c; cursor: help; margin-left: 6px; }}
"""
