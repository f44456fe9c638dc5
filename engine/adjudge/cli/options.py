"""What commands check about the values of their options, beyond what click does."""

from __future__ import annotations

import math
import re
from typing import TypeVar

import click

from adjudge.errors import UsageError

format_option = click.option(
    "-f",
    "--format",
    "format_",
    type=click.Choice(["console", "json"]),
    default="console",
    show_default=True,
)
"""For people, or for programs."""

Value = TypeVar("Value", str, tuple[str, ...], None)


def filled(ctx: click.Context, param: click.Parameter, value: Value) -> Value:
    """Refuses empty text: a shell variable that is not set must not silently mean nothing."""
    for text in value if isinstance(value, tuple) else (value,):
        if text is not None and not text.strip():
            raise click.BadParameter("is empty", ctx, param)
    return value


def finite(ctx: click.Context, param: click.Parameter, value: float) -> float:
    """Refuses ``nan`` and ``inf``, which no clock ever passes."""
    if not math.isfinite(value):
        raise click.BadParameter("a number of seconds is expected", ctx, param)
    return value


_UNITS = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def age_seconds(text: str) -> int:
    """Seconds in an age such as ``30m``, ``24h``, ``7d`` or ``2w``.

    Raises :class:`UsageError` ``age_invalid``.
    """
    found = re.fullmatch(r"([0-9]{1,9})([mhdw])", text)
    if found is None:
        raise UsageError(
            "age_invalid", f"{text[:50]!r} is not an age", hint="write 30m, 24h, 7d or 2w"
        )
    return int(found[1]) * _UNITS[found[2]]
