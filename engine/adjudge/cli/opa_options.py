"""What the commands that stand in for ``opa`` share: its durations, lists and capabilities."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

from adjudge.cli.terminal import safe
from adjudge.errors import AdjudgeError, ErrorList, InputError
from adjudge.rego.capabilities import Capabilities, all_capabilities, version_capabilities

OPA_VERSION = "1.22.0"
"""The version of OPA whose builtins there are."""

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_VERSION = re.compile(r"v\d+\.\d+\.\d+(-\w+)?")
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(h|ms|m|us|µs|ns|s)")


class Duration(click.ParamType[float]):
    """A duration as Go writes it (``500ms``, ``1m30s``), in seconds."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        if isinstance(value, float):
            return value
        parts = _PART.findall(value)
        if value != "0" and (not parts or "".join(n + u for n, u in parts) != value):
            self.fail(f"{value!r} is not a duration such as 500ms, 5s or 1m30s", param, ctx)
        return sum(float(number) * _UNITS[unit] for number, unit in parts)


def split_list(
    ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...]:
    """The elements of an option that may be repeated and may hold several, with commas."""
    return tuple(part for value in values for part in value.split(",") if part)


def read_capabilities(path: str | None) -> Capabilities:
    """The capabilities that a file describes or that a version of OPA has (``v1.2.3``), or
    everything; raises :class:`InputError`."""
    if path is None or path.removeprefix("v") == OPA_VERSION:
        return all_capabilities()
    if _VERSION.fullmatch(path) and not os.path.exists(path):
        try:
            return version_capabilities(path)
        except KeyError:
            raise InputError(
                "unknown_capabilities",
                f"no such file or capabilities version found: {path}",
                hint=f"versions from v0.17.0 to v{OPA_VERSION} are known",
            ) from None
    try:
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
        return Capabilities.from_json(document)
    except OSError as e:
        raise InputError("unreadable_file", f"{path}: {e.strerror or e}") from None
    except (ValueError, RecursionError) as e:
        raise InputError("invalid_json", f"{path}: {e}") from None
    except (KeyError, TypeError, AttributeError) as e:
        raise InputError(
            "invalid_capabilities",
            f"{path}: these are no capabilities ({type(e).__name__}: {e})",
            hint="the format is that of `opa capabilities --current`",
        ) from None


def duration_text(ns: float) -> str:
    """Nanoseconds as Go prints a duration."""
    for limit, unit in ((1e3, "ns"), (1e6, "µs"), (1e9, "ms")):
        if ns < limit:
            return f"{_trimmed(ns / (limit / 1e3))}{unit}"
    return f"{_trimmed(ns / 1e9)}s"


def _trimmed(number: float) -> str:
    return f"{number:.6f}".rstrip("0").rstrip(".")


def complain(error: AdjudgeError, limit: int = 0) -> None:
    """Print an error with its place and hint; of several, the first ``limit`` when that is
    not 0."""
    left = 0
    if isinstance(error, ErrorList) and 0 < limit < len(error.errors):
        left = len(error.errors) - limit
        error = ErrorList(error.errors[:limit])
    # Exports bring the record's model along, which takes longer than many a test.
    from adjudge.exports.escape import defuse_commands

    click.echo(defuse_commands(f"error: {safe(error.render())}"), err=True)
    if left:
        click.echo(f"error: {left} more errors (--max-errors 0 shows them all)", err=True)


Command = TypeVar("Command", bound=Callable[..., Any])


def unheeded(*names: str, **more: Any) -> Callable[[Command], Command]:
    """An option of ``opa`` that is for its way of evaluating."""
    text = "Not supported." if "callback" in more else "Taken, and of no effect."
    return click.option(*names, expose_value=False, hidden=True, help=text, **more)
