"""What must not stand in a prompt bundle: its files in; secrets, hosts and personal data out.

The files are searched as written, and the parsed values once more, so that neither a comment
nor a character escape hides anything.  A credential's value never leaves this module.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from adjudge.documents.facts import Sheet
from adjudge.documents.model import LineIndex, Position, Redaction, join
from adjudge.documents.prompt_bundle_files import Bundle, Member, Part
from adjudge.documents.sensitive import (
    Found,
    find_internal_hosts,
    find_personal,
    find_secrets,
    preview,
)

_SPACING: Final = re.compile(r"\s+|\\n")
# Who answers for a bundle is named in it on purpose.
_PEOPLE: Final = (
    "owner",
    "owners",
    "contact",
    "maintainer",
    "maintainers",
    "author",
    "authors",
    "reviewer",
    "reviewers",
    "approved_by",
)


@dataclass
class Scan:
    """What a scan learned beyond the facts: what to hide, and where."""

    redactions: list[Redaction] = field(default_factory=list)
    _secrets: dict[str, str] = field(default_factory=dict)

    def hide(self, kind: str, value: str) -> None:
        """Remember a credential to be taken out of everything that is kept."""
        self._secrets[value] = kind
        if "\\" in value:  # as the parser of its file reads it
            try:
                self._secrets[json.loads(f'"{value}"')] = kind
            except ValueError:
                pass

    def clean(self, value: Any) -> Any:
        """A JSON-like value with every credential replaced by its kind."""
        if not self._secrets:
            return value
        if isinstance(value, str):
            for secret in sorted(self._secrets, key=len, reverse=True):
                if secret in value:
                    value = value.replace(secret, f"[redacted:{self._secrets[secret]}]")
            return value
        if isinstance(value, list):
            return [self.clean(v) for v in value]
        if isinstance(value, dict):
            return {self.clean(k): self.clean(v) for k, v in value.items()}
        return value


def scan_bundle(bundle: Bundle, sheet: Sheet) -> Scan:
    """Search all text files of ``bundle`` and put the findings into ``sheet``."""
    scan = Scan()
    marked = _synthetic_spans(bundle)
    named = _people_spans(bundle)
    for member in bundle.members:
        if member.text is not None:
            lines = LineIndex(member.source.shown, member.text)
            _scan_text(sheet, scan, member, lines)
            _scan_personal(sheet, scan, member, lines, (marked, named))
    for part in (bundle.config, bundle.examples, bundle.tests):
        if part is not None:
            _scan_values(bundle, sheet, scan, part)
    return scan


_Spans = list[tuple[int, int]]


def _scan_text(sheet: Sheet, scan: Scan, member: Member, lines: LineIndex) -> None:
    text = lines.text
    for found in find_secrets(text):
        value = text[found.start : found.end]
        scan.hide(found.kind, value)
        place = lines.position(found.start)
        _add_secret(sheet, found.kind, member.path, place, value)
        scan.redactions.extend(_redactions(lines, found))
    for found in find_internal_hosts(text):
        place = lines.position(found.start)
        host = text[found.start : found.end]
        entry = {"host": host, "file": member.path, "line": place.line}
        sheet.add("internal_hosts", entry, place)


def _add_secret(sheet: Sheet, kind: str, path: str, place: Position, value: str) -> None:
    entry = {"kind": kind, "file": path, "line": place.line, "preview": preview(value)}
    sheet.add("secrets", entry, place)


def _redactions(lines: LineIndex, found: Found) -> Iterator[Redaction]:
    first, last = lines.position(found.start), lines.position(found.end)
    for line in range(first.line, last.line + 1):
        start, end = lines.span(line) or (0, 0)
        low = max(found.start, start) - start + 1
        high = min(found.end, end) - start + 1
        yield Redaction(lines.file, line, low, high)


def _scan_personal(
    sheet: Sheet,
    scan: Scan,
    member: Member,
    lines: LineIndex,
    spans: tuple[dict[str, _Spans], dict[str, _Spans]],
) -> None:
    """Personal data, but for the people a bundle names; ``spans`` are made up and named ones."""
    marked, named = (s.get(member.path, []) for s in spans)
    for found in find_personal(lines.text):
        if _within(found.start, named):
            continue
        place = lines.position(found.start)
        synthetic = found.synthetic or _within(found.start, marked)
        if not synthetic:
            scan.redactions.extend(_redactions(lines, found))
        entry = {
            "kind": found.kind,
            "file": member.path,
            "line": place.line,
            "synthetic": synthetic,
        }
        sheet.add("pii", entry, place)


def _within(offset: int, spans: _Spans) -> bool:
    return any(start <= offset < end for start, end in spans)


def _scan_values(bundle: Bundle, sheet: Sheet, scan: Scan, part: Part) -> None:
    """Find what only the parsed values show, because the file spells it with escapes."""
    raw = part.parsed.lines.text
    squeezed = _squeezed(raw)
    for pointer, text in _strings(part.value):
        if len(text) < 8:
            continue
        place = part.locate(pointer) or Position(part.parsed.lines.file, 1, 1)
        for found in find_secrets(text):
            value = text[found.start : found.end]
            scan.hide(found.kind, value)
            if _squeezed(value) not in squeezed:
                _add_secret(sheet, found.kind, part.path, place, value)
        for found in find_personal(text):
            if text[found.start : found.end] not in raw:
                entry = {
                    "kind": found.kind,
                    "file": part.path,
                    "line": place.line,
                    "synthetic": found.synthetic,
                }
                sheet.add("pii", entry, place)


def _squeezed(text: str) -> str:
    """``text`` without what a parser adds or takes away at line ends."""
    return _SPACING.sub("", text)


def _strings(value: Any) -> Iterator[tuple[str, str]]:
    """Every text in a value with its pointer."""
    stack: list[tuple[str, Any]] = [("", value)]
    while stack:
        pointer, item = stack.pop()
        if isinstance(item, str):
            yield pointer, item
        elif isinstance(item, Mapping):
            stack.extend((join(pointer, k), v) for k, v in item.items())
        elif isinstance(item, list):
            stack.extend((join(pointer, i), v) for i, v in enumerate(item))


def is_synthetic(part: Part) -> bool:
    """Whether a list of examples or tests is marked synthetic as a whole."""
    return isinstance(part.value, Mapping) and part.value.get("synthetic") is True


def _synthetic_spans(bundle: Bundle) -> dict[str, _Spans]:
    """By file, the offsets of examples and tests that are marked ``synthetic: true``."""
    spans: dict[str, _Spans] = {}
    for part, name in ((bundle.examples, "examples"), (bundle.tests, "tests")):
        if part is None:
            continue
        inner = f"/{name}" if isinstance(part.value, Mapping) else ""
        items = part.value[name] if inner else part.value
        whole = is_synthetic(part)
        starts = [part.parsed.find(f"{part.base}{inner}/{i}", False) for i in range(len(items))]
        ends = [*starts, len(part.parsed.lines.text)][1:]
        for item, start, end in zip(items, starts, ends, strict=True):
            marked = isinstance(item, Mapping) and item.get("synthetic") is True
            if (whole or marked) and start is not None and end is not None:
                spans.setdefault(part.path, []).append((start, end))
    return spans


def _people_spans(bundle: Bundle) -> dict[str, _Spans]:
    """The offsets of the fields of the configuration that name responsible people."""
    parsed = bundle.config.parsed
    keys = [parsed.find(join("", k), True) for k in bundle.config.value]
    starts = sorted(k for k in keys if k is not None)
    spans: _Spans = []
    for key in _PEOPLE:
        start = parsed.find(f"/{key}", True)
        if start is not None:
            later = [s for s in starts if s > start]
            spans.append((start, later[0] if later else len(parsed.lines.text)))
    return {bundle.config.path: spans}
