"""A JSON file that must hold an object in, what every loader of such a kind needs out."""

from __future__ import annotations

from typing import Any, NamedTuple

from adjudge.canonical import sha256_hex
from adjudge.documents.model import Document, Limits, Origin, Parsed, Problem
from adjudge.documents.reading import Source, decode_text, read_json


class JsonObject(NamedTuple):
    """A file with its object."""

    source: Source
    raw: bytes
    parsed: Parsed
    value: dict[str, Any]

    def document(
        self,
        kind: str,
        facts: dict[str, Any],
        problems: list[Problem] | None = None,
        origins: dict[str, Origin] | None = None,
    ) -> Document:
        """The document of a kind with these facts."""
        return Document(
            kind=kind,
            path=self.source.shown,
            digest=sha256_hex(self.raw),
            size=len(self.raw),
            document=self.value,
            facts=facts,
            problems=problems or [],
            locator=self.parsed.locate,
            origins=origins or {},
            sources={self.source.shown: self.parsed.lines},
        )


def read_object(source: Source, limits: Limits) -> JsonObject:
    """The object in the JSON file at ``source``.

    Raises InputError ``not_an_object`` and those of reading.
    """
    raw = source.read(limits.max_bytes)
    parsed = read_json(decode_text(raw, source.shown), source.shown, limits)
    if not isinstance(parsed.value, dict):
        raise source.error("not_an_object", f"{source.shown} holds no JSON object")
    return JsonObject(source, raw, parsed, parsed.value)
