"""Charts as shapes in the units of a viewBox, for a template to draw: no script, no style, no outside library.

Colours are CSS classes, so that light and dark have their own. Each chart stands beside a table with its numbers; the
picture's name sums it up for whoever does not see it. The libraries that draw SVG on a server write styles into the
elements, which the console's Content-Security-Policy forbids.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

_ZERO = Decimal(0)
_STEPS = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))
_LINES = 4


@dataclass(frozen=True, slots=True)
class Rect:
    """A bar. `look` is its CSS class, `title` what a pointer shows."""

    x: float
    y: float
    width: float
    height: float
    look: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A text at a place; `value` is for the page to write in its locale when `text` is blank."""

    x: float
    y: float
    text: str = ""
    value: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Chart:
    """Shapes, grid lines (y) and marks in a box of `width` times `height`."""

    width: float
    height: float
    rects: tuple[Rect, ...]
    lines: tuple[float, ...] = ()
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class Series:
    """One row of values, with the class of its bars."""

    look: str
    values: Sequence[Decimal]


def columns(labels: Sequence[str], series: Sequence[Series], width: float = 640, height: float = 220) -> Chart:
    """Groups of upright bars, one group for each label. Values below zero hang from the zero line."""
    left, bottom, top = 56.0, 24.0, 8.0
    every = [value for one in series for value in one.values]
    step = nice_step(max([*every, _ZERO]), min([*every, _ZERO]))
    high, low = _rounded(max([*every, _ZERO]), step), -_rounded(-min([*every, _ZERO]), step)
    span = float(high - low) or 1.0
    scale = (height - bottom - top) / span

    def y_of(value: Decimal) -> float:
        return round(top + float(high - value) * scale, 1)

    slot = (width - left) / max(1, len(labels))
    bar = slot * 0.76 / max(1, len(series))
    rects = []
    for at, one in enumerate(series):
        for number, value in enumerate(one.values):
            x = left + number * slot + slot * 0.12 + at * bar
            y, zero = y_of(max(value, _ZERO)), y_of(min(value, _ZERO))
            rects.append(Rect(round(x, 1), y, round(bar * 0.92, 1), round(zero - y, 1), one.look))
    values = [low + step * number for number in range(int((high - low) / step) + 1)]
    marks = [Mark(left - 6, y_of(value) + 4, value=value) for value in values]
    marks += [Mark(round(left + (at + 0.5) * slot, 1), height - 6, text) for at, text in enumerate(labels)]
    return Chart(width, height, tuple(rects), tuple(y_of(value) for value in values), tuple(marks))


def shares(parts: Sequence[tuple[str, Decimal]], width: float = 640, height: float = 20) -> Chart:
    """One lying bar of parts (class, value); values below zero have no share."""
    total = sum((max(value, _ZERO) for _, value in parts), _ZERO)
    rects, x = [], 0.0
    for look, value in parts:
        size = float(max(value, _ZERO) / total) * width if total else 0.0
        if size:
            rects.append(Rect(round(x, 1), 0, round(size, 1), height, look))
        x += size
    return Chart(width, height, tuple(rects))


def bars(rows: Sequence[tuple[str, Decimal]], look: str, width: float = 640, row: float = 26) -> Chart:
    """Lying bars under each other, each with its label before it."""
    left = 200.0
    highest = max([value for _, value in rows] or [_ZERO]) or Decimal(1)
    rects, marks = [], []
    for at, (label, value) in enumerate(rows):
        size = float(max(value, _ZERO) / highest) * (width - left)
        rects.append(Rect(left, at * row + 4, round(max(size, 1.0), 1), row - 10, look))
        marks.append(Mark(left - 8, at * row + row * 0.6, label if len(label) <= _LABEL else f"{label[: _LABEL - 1]}…"))
    return Chart(width, max(1, len(rows)) * row, tuple(rects), marks=tuple(marks))


_LABEL = 28


def nice_step(high: Decimal, low: Decimal = _ZERO) -> Decimal:
    """A round distance of grid lines, so that about four of them cover the values."""
    span = high - low
    if span <= 0:
        return Decimal(1)
    raw = span / _LINES
    power = Decimal(1).scaleb(raw.adjusted())
    return next(power * step for step in _STEPS if power * step >= raw)


def _rounded(value: Decimal, step: Decimal) -> Decimal:
    """Up to the next line."""
    whole, rest = divmod(max(value, _ZERO), step)
    return (whole + (1 if rest else 0)) * step
