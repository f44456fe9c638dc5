"""What commands check about the values of their options, beyond what click does."""

from __future__ import annotations

import math
from typing import TypeVar

import click

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
