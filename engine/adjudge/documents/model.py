"""What every loader hands out: bytes went in, a :class:`Document` with positions comes out.

Pointers are JSON pointers (RFC 6901).  A document's pointers start with ``/document``
(the parsed file) or ``/facts`` (what was made of it); a :class:`Parsed` text's pointers
start at its own root, which is the empty string.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from adjudge.canonical import digest_of
from adjudge.errors import InputError
from adjudge.source import Location

MIB: Final = 1024 * 1024
LONG_LINE: Final = 400
"""Lines longer than this many characters are cut around the position when they are shown."""


class Position(NamedTuple):
    """A place in a file under judgement; ``line`` and ``column`` count from 1, in characters."""

    file: str
    line: int
    column: int

    @property
    def location(self) -> Location:
        """The same place as the errors of the engine name it."""
        return Location(self.file, self.line, self.column)


Severity: TypeAlias = Literal["error", "warning"]


@dataclass(frozen=True)
class Problem:
    """Something wrong in a file that did not stop it from being read.

    ``pointer`` points into ``{"document": …, "facts": …}``, or is empty.
    """

    code: str
    message: str
    pointer: str = ""
    severity: Severity = "error"

    def as_dict(self) -> dict[str, str]:
        """The problem as policies see it."""
        return {
            "code": self.code,
            "message": self.message,
            "pointer": self.pointer,
            "severity": self.severity,
        }


@dataclass(frozen=True)
class Limits:
    """How much of a hostile file is read before it is refused; sizes in bytes."""

    max_bytes: int = 256 * MIB
    """A JSON file."""
    max_text_bytes: int = 4 * MIB
    """A model card."""
    max_prompt_bytes: int = 2 * MIB
    """A file of a prompt bundle."""
    max_bundle_files: int = 500
    max_yaml_bytes: int = 5 * MIB
    max_toml_bytes: int = 1 * MIB
    max_depth: int = 128
    """Containers inside containers.  Everything downstream may recurse this deep."""
    max_nodes: int = 10_000_000
    """Values in one JSON file."""
    max_yaml_nodes: int = 500_000
    max_files: int = 20_000
    """Files in a directory that is judged as one artifact, or searched for artifacts."""
    max_walk_depth: int = 32
    """Directories inside directories."""


DEFAULT_LIMITS: Final = Limits()


# --- pointers ---------------------------------------------------------------------------------


def escape(segment: str | int) -> str:
    """One pointer segment with ``~`` and ``/`` escaped (RFC 6901 section 3)."""
    return str(segment).replace("~", "~0").replace("/", "~1")


def join(pointer: str, *segments: str | int) -> str:
    """``pointer`` with ``segments`` appended, each escaped."""
    return pointer + "".join("/" + escape(s) for s in segments)


def split(pointer: str) -> list[str]:
    """The unescaped segments of ``pointer``, which starts with ``/``; the empty one has none."""
    if not pointer:
        return []
    return [s.replace("~1", "/").replace("~0", "~") for s in pointer[1:].split("/")]


def parent_of(pointer: str) -> str:
    """The enclosing pointer; the root encloses itself."""
    return pointer.rpartition("/")[0]


# --- text with lines --------------------------------------------------------------------------

_NEWLINE = re.compile("\n")


class LineIndex:
    """The text of one file with its lines found on first use.

    ``file`` is the name shown to people.  A line ends at LF or CRLF.
    """

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text
        self._starts: list[int] | None = None

    def starts(self) -> list[int]:
        """The offset at which each line starts."""
        if self._starts is None:
            self._starts = [0, *(m.end() for m in _NEWLINE.finditer(self.text))]
        return self._starts

    def position(self, offset: int) -> Position:
        """Line and column of a character offset."""
        starts = self.starts()
        line = bisect_right(starts, offset)
        return Position(self.file, line, offset - starts[line - 1] + 1)

    def span(self, line: int) -> tuple[int, int] | None:
        """Start and end offsets of a line without its line end; None when there is no such line."""
        starts = self.starts()
        if not 1 <= line <= len(starts):
            return None
        start = starts[line - 1]
        end = starts[line] - 1 if line < len(starts) else len(self.text)
        if end > start and self.text[end - 1] == "\r":
            end -= 1
        return start, end


_QUOTABLE: Final = 1_000_000


def error_at(lines: LineIndex, offset: int, code: str, message: str, hint: str) -> InputError:
    """An InputError at a character offset of a text, with its source line.

    A line of over a million characters is not carried along.
    """
    where = lines.position(min(offset, len(lines.text)))
    start, end = lines.span(where.line) or (0, 0)
    source = lines.text[start:end] if end - start <= _QUOTABLE else None
    return InputError(code, message, location=where.location, hint=hint, source=source)


@dataclass(frozen=True)
class Parsed:
    """A parsed text: its JSON-like value, and where each value stands.

    ``find`` maps a pointer to the offset of its value, or of its key when asked for the
    key; ``spellings`` keeps how a number was written where the value loses it (``1.10``).
    """

    value: Any
    lines: LineIndex
    find: Callable[[str, bool], int | None]
    spellings: Mapping[str, str] = field(default_factory=dict)

    def locate(self, pointer: str) -> Position | None:
        """Where the value at ``pointer`` starts; None when nothing stands there."""
        offset = self.find(pointer, False)
        return None if offset is None else self.lines.position(offset)

    def locate_key(self, pointer: str) -> Position | None:
        """Where the key of the entry at ``pointer`` starts; None when it has none."""
        offset = self.find(pointer, True)
        return None if offset is None else self.lines.position(offset)

    def spelling(self, pointer: str) -> str | None:
        """How the number at ``pointer`` is written, when the reader kept it."""
        return self.spellings.get(pointer)


# --- documents --------------------------------------------------------------------------------

Locator: TypeAlias = Callable[[str], Position | None]
Origin: TypeAlias = "str | Position"
FileRecord: TypeAlias = "dict[str, Any]"


def file_record(path: str, sha256: str, size: int) -> FileRecord:
    """One member of a bundle or directory as policies see it."""
    return {"path": path, "sha256": sha256, "size": size}


def digest_of_files(files: Iterable[Mapping[str, Any]]) -> str:
    """The digest of a set of files.

    SHA-256 of the canonical JSON (RFC 8785) of ``[[path, sha256], …]`` sorted by path
    (by code point); paths are relative to the bundle or directory, with ``/``.
    """
    return digest_of(sorted([f["path"], f["sha256"]] for f in files))


def nowhere(_pointer: str) -> Position | None:
    """The locator of what has no lines (a binary file)."""
    return None


@dataclass(frozen=True)
class Redaction:
    """Characters of a line that must never be shown: columns ``start`` to ``end``, exclusive."""

    file: str
    line: int
    start: int
    end: int


@dataclass(eq=False)
class Document:
    """One artifact under judgement: the parsed file and the facts of its kind.

    ``document`` and ``facts`` are JSON-like: dict with str keys, list, str, int, float,
    bool, None.  ``locator`` finds pointers relative to ``document``.  ``origins`` says for
    a pointer relative to ``facts`` what it was made from: a pointer relative to
    ``document``, or a position.  A fact below an origin is looked for below the same
    place of the document.  ``sources`` holds the texts that excerpts are taken from.
    """

    kind: str
    path: str
    digest: str
    size: int
    document: Any
    facts: dict[str, Any]
    problems: list[Problem] = field(default_factory=list)
    files: list[FileRecord] = field(default_factory=list)
    locator: Locator = nowhere
    origins: Mapping[str, Origin] = field(default_factory=dict)
    sources: Mapping[str, LineIndex] = field(default_factory=dict)
    redactions: list[Redaction] = field(default_factory=list)
    _input: dict[str, Any] | None = field(default=None, init=False, repr=False)
    _places: dict[str, Position | None] = field(default_factory=dict, init=False, repr=False)

    @classmethod
    def recorded(cls, artifact: dict[str, Any], places: Mapping[str, Position | None]) -> Document:
        """The document whose :meth:`as_input` was ``artifact``, without its file.

        It knows the ``places`` that were asked for before, and no others.
        """
        document = cls(
            kind=artifact["kind"],
            path=artifact["path"],
            digest=artifact["digest"],
            size=artifact["size"],
            document=artifact["document"],
            facts=artifact["facts"],
            files=artifact["files"],
        )
        document._input = artifact
        document._places = dict(places)
        return document

    @property
    def located(self) -> Mapping[str, Position | None]:
        """The pointers that were located so far, with their places."""
        return self._places

    def locate(self, pointer: str) -> Position | None:
        """Where ``/document/…`` or ``/facts/…`` stands, or what encloses it.

        What the file does not contain is placed at the nearest enclosing value, at last at
        the start of the file; None only for files without lines.
        """
        if pointer not in self._places:
            self._places[pointer] = self._locate(pointer)
        return self._places[pointer]

    def _locate(self, pointer: str) -> Position | None:
        if pointer.startswith("/facts/"):
            return self._locate_fact(pointer[len("/facts") :])
        if pointer.startswith("/document/"):
            return self._locate_value(pointer[len("/document") :])
        return self._locate_value("")

    def _locate_value(self, pointer: str) -> Position | None:
        while True:
            place = self.locator(pointer)
            if place is not None or not pointer:
                return place or self._start()
            pointer = parent_of(pointer)

    def _locate_fact(self, pointer: str) -> Position | None:
        prefix, rest = pointer, ""
        while prefix:
            origin = self.origins.get(prefix)
            if isinstance(origin, Position):
                return origin
            if origin is not None:
                return self._locate_value(origin + rest)
            above = parent_of(prefix)
            prefix, rest = above, prefix[len(above) :] + rest
        return self._locate_value("")

    def _start(self) -> Position | None:
        first = next(iter(self.sources), None)
        return None if first is None else Position(first, 1, 1)

    def excerpt(self, position: Position) -> str | None:
        """The source line of ``position``, cut around it when it is long."""
        shown = self.excerpt_at(position)
        return None if shown is None else shown[0]

    def excerpt_at(self, position: Position) -> tuple[str, int] | None:
        """The source line of ``position`` and the column of the position in what is shown.

        A line over :data:`LONG_LINE` characters is cut (``…`` marks the cut ends); redacted
        characters are shown as ``*``.
        """
        lines = self.sources.get(position.file)
        span = lines.span(position.line) if lines else None
        if lines is None or span is None:
            return None
        start, end = span
        column = max(1, min(position.column, end - start + 1))
        low, high = start, end
        if end - start > LONG_LINE:
            low = max(start, min(start + column - 1 - LONG_LINE // 2, end - LONG_LINE))
            high = low + LONG_LINE
        text = self._mask(lines.text[low:high], position, low - start)
        left, right = ("…" if low > start else ""), ("…" if high < end else "")
        return left + text + right, column - (low - start) + len(left)

    def line_at(self, position: Position) -> str | None:
        """The whole source line of ``position``, redacted characters shown as ``*``."""
        lines = self.sources.get(position.file)
        span = lines.span(position.line) if lines else None
        if lines is None or span is None:
            return None
        return self._mask(lines.text[span[0] : span[1]], position, 0)

    def _mask(self, text: str, position: Position, cut: int) -> str:
        for r in self.redactions:
            if r.file == position.file and r.line == position.line:
                start = max(0, r.start - 1 - cut)
                end = min(len(text), r.end - 1 - cut)
                if end > start:
                    text = text[:start] + "*" * (end - start) + text[end:]
        return text

    def as_input(self) -> dict[str, Any]:
        """The artifact as policies see it.

        The same dict object each time, so that groups in a release share it; its
        ``signatures`` list is filled by whoever relates signatures to artifacts.
        """
        if self._input is None:
            self._input = {
                "kind": self.kind,
                "path": self.path,
                "digest": self.digest,
                "size": self.size,
                "document": self.document,
                "facts": self.facts,
                "files": self.files,
                "problems": [p.as_dict() for p in self.problems],
                "signatures": [],
            }
        return self._input
