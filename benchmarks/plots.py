"""Series of points in, a line chart with logarithmic axes as SVG out.

Written by hand: the charts need two axes, a grid, lines and labels, and are to look the
same wherever they are made, so that a changed chart means changed numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 720, 420
LEFT, RIGHT, TOP, BOTTOM = 84, 130, 48, 56
COLOURS = ("#1b6ac9", "#c9501b", "#2a8a4a", "#7a4ac9")

Points = Sequence[tuple[float, float]]


def chart(
    title: str,
    x_label: str,
    series: Mapping[str, Points],
    y_text: Callable[[float], str],
) -> str:
    """The chart; every coordinate must be above zero.  ``y_text`` words the ticks of the
    vertical axis."""
    points = [p for line in series.values() for p in line]
    x_axis = _decades([x for x, _ in points])
    y_axis = _decades([y for _, y in points])

    def at(x: float, y: float) -> tuple[float, float]:
        across = _share(x, x_axis) * (WIDTH - LEFT - RIGHT)
        up = _share(y, y_axis) * (HEIGHT - TOP - BOTTOM)
        return round(LEFT + across, 1), round(HEIGHT - BOTTOM - up, 1)

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        _text(LEFT, 26, title, size=15, weight="bold"),
    ]
    for x in x_axis:
        left, bottom = at(x, y_axis[0])
        out.append(_line(left, at(x, y_axis[-1])[1], left, bottom))
        out.append(_text(left, bottom + 18, f"{x:,.0f}", anchor="middle"))
    for y in y_axis:
        left, bottom = at(x_axis[0], y)
        out.append(_line(left, bottom, at(x_axis[-1], y)[0], bottom))
        out.append(_text(left - 8, bottom + 4, y_text(y), anchor="end"))
    middle = LEFT + (WIDTH - LEFT - RIGHT) / 2
    out.append(_text(middle, HEIGHT - 14, x_label, anchor="middle"))
    for (name, line), colour in zip(series.items(), COLOURS, strict=False):
        placed = [at(x, y) for x, y in line]
        path = " ".join(f"{x},{y}" for x, y in placed)
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out.extend(f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>' for x, y in placed)
        x, y = placed[-1]
        out.append(_text(x + 8, y + 4, name, colour=colour, weight="bold"))
    out.append("</svg>\n")
    return "\n".join(out)


def _decades(values: Sequence[float]) -> list[float]:
    """Powers of ten around all values, at least two of them."""
    low = math.floor(math.log10(min(values)) + 1e-9)
    high = math.ceil(math.log10(max(values)) - 1e-9)
    return [10.0**n for n in range(low, max(high, low + 1) + 1)]


def _share(value: float, axis: Sequence[float]) -> float:
    low, high = math.log10(axis[0]), math.log10(axis[-1])
    return (math.log10(value) - low) / (high - low)


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="#dddddd"/>'


def _text(
    x: float,
    y: float,
    text: str,
    *,
    anchor: str = "start",
    colour: str = "#222222",
    size: int = 12,
    weight: str = "normal",
) -> str:
    return (
        f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="{colour}" font-size="{size}" '
        f'font-weight="{weight}">{escape(text)}</text>'
    )
