"""A report and ``FORMAT=PATH`` targets in, files (or standard output) out: all or nothing.

Everything is rendered before anything is written, and every file appears whole: it is
written beside its place and renamed into it.
"""

from __future__ import annotations

import importlib
import os
import secrets
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Final, NamedTuple, TextIO

from adjudge.errors import AdjudgeError, UsageError
from adjudge.exports.escape import visible
from adjudge.exports.report import Report

# Modules by name, imported when used: rich, Jinja and ElementTree cost more time than a decision.
_MODULES: Final = {
    "console": "console",
    "json": "json_",
    "sarif": "sarif",
    "junit": "junit",
    "github": "github",
    "markdown": "markdown",
    "html": "html",
    "csv": "csv_",
    "compliance": "compliance",
    "oscal": "oscal",
}
NEED_FRAMEWORK: Final = ("compliance", "oscal")
"""Formats that hold a decision against the controls of a framework."""
FORMATS: Final = tuple(_MODULES)
"""The names of the formats."""

FILE_WIDTH: Final = 100
"""Columns of console output in a file."""


class OutputError(AdjudgeError):
    """A report cannot be written where it was asked for."""


class Target(NamedTuple):
    """What to write where; the path ``-`` is standard output."""

    format: str
    path: str


def parse_target(text: str) -> Target:
    """The target in ``FORMAT=PATH``; a format alone goes to standard output.

    Raises :class:`UsageError`: ``output_format_unknown``, ``output_path_missing``.
    """
    name, equals, path = text.partition("=")
    if name not in _MODULES:
        raise UsageError(
            "output_format_unknown",
            f"no such output format: {visible(name[:50]) or '(empty)'}",
            hint=f"use FORMAT=PATH, with one of: {', '.join(FORMATS)}",
        )
    if equals and not path:
        raise UsageError(
            "output_path_missing",
            f"no path after {name}=",
            hint=f"write {name}=FILE, or {name}=- for standard output",
        )
    return Target(name, path or "-")


def render(report: Report, format: str) -> str:
    """The report in one of :data:`FORMATS`."""
    module = importlib.import_module(f"adjudge.exports.{_MODULES[format]}")
    text: str = module.render(report)
    return text


def write_outputs(
    report: Report,
    targets: Sequence[Target],
    stdout: TextIO | None = None,
    also: Sequence[tuple[str, bytes]] = (),
) -> None:
    """Writes the report to every target, and to every path of ``also`` its bytes.

    ``report.options`` describe the terminal and hold for standard output; files get plain
    text.  Raises :class:`UsageError` ``output_conflict`` and :class:`OutputError`
    ``output_directory_missing``, ``output_is_directory``, ``output_write_failed``; then no
    target was changed, except when the disk fails between two renames.
    """
    check_targets([*targets, *(Target("", path) for path, _ in also)])
    plain = replace(report.options, color=False, unicode=True, width=FILE_WIDTH)
    for_files = replace(report, options=plain)
    rendered = [
        (target, render(report if target.path == "-" else for_files, target.format))
        for target in targets
    ]
    files = [(t.path, text.encode()) for t, text in rendered if t.path != "-"]
    _write_files([*files, *also])
    for target, text in rendered:
        if target.path == "-":
            _emit(stdout or sys.stdout, text)


def write_text(path: str, text: str) -> None:
    """Writes one text to a file, at once or not at all; the errors of :func:`write_outputs`."""
    write_file(path, text.encode())


def write_file(path: str, data: bytes) -> None:
    """Writes one file, at once or not at all; the errors of :func:`write_outputs`."""
    check_targets([Target("file", path)])
    _write_files([(path, data)])


def check_targets(targets: Sequence[Target]) -> None:
    """Finds before any work what can be known before; the errors of :func:`write_outputs`."""
    seen: set[str] = set()
    for target in targets:
        shown = "standard output" if target.path == "-" else visible(target.path)
        if "\0" in target.path:
            raise OutputError("output_write_failed", f"{shown}: a path cannot hold a zero byte")
        place = "-" if target.path == "-" else os.path.realpath(target.path)
        if place in seen:
            raise UsageError(
                "output_conflict",
                f"two outputs go to {shown}",
                hint="give every --output its own path",
            )
        seen.add(place)
        if place != "-" and os.path.isdir(place):
            raise OutputError(
                "output_is_directory", f"{shown} is a directory", hint="name a file in it"
            )
        if place != "-" and not os.path.isdir(os.path.dirname(place)):
            raise OutputError(
                "output_directory_missing",
                f"the directory of {shown} does not exist",
                hint="create it first",
            )


def _write_files(files: Sequence[tuple[str, bytes]]) -> None:
    """Writes every file beside its place, then renames all of them."""
    ready: list[tuple[str, str]] = []
    try:
        for path, data in files:
            place = os.path.realpath(path)
            with _told(path):
                if _is_special(place):
                    _write(place, data, os.O_WRONLY)
                    continue
                beside = os.path.join(
                    os.path.dirname(place), f".adjudge-{secrets.token_hex(8)}.tmp"
                )
                ready.append((beside, place))
                _write(beside, data, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
                if os.path.exists(place):
                    os.chmod(beside, stat.S_IMODE(os.stat(place).st_mode))
        while ready:
            beside, place = ready[0]
            with _told(place):
                os.replace(beside, place)
            ready.pop(0)
    finally:
        for beside, _ in ready:
            try:
                os.unlink(beside)
            except OSError:
                pass


@contextmanager
def _told(path: str) -> Iterator[None]:
    """Turns the errors of the operating system into ours."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            "output_write_failed",
            f"cannot write {visible(path)}: {error.strerror or error}",
            hint="check the permissions and the space left",
        ) from error


def _is_special(place: str) -> bool:
    """Whether something that is no regular file stands there (a pipe, a terminal)."""
    try:
        return not stat.S_ISREG(os.stat(place).st_mode)
    except FileNotFoundError:
        return False


def _write(path: str, data: bytes, flags: int) -> None:
    # 0o666 less the umask, as for any file a program creates.
    with open(os.open(path, flags, 0o666), "wb") as file:
        file.write(data)
        file.flush()
        if flags & os.O_CREAT:
            os.fsync(file.fileno())


def _emit(stream: TextIO, text: str) -> None:
    """Writes UTF-8 whatever the locale, where the stream lets us."""
    buffer = getattr(stream, "buffer", None)
    if buffer is None:
        stream.write(text)
    else:
        stream.flush()
        buffer.write(text.encode())
    stream.flush()
