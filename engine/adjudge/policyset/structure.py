"""A parsed YAML file and the JSON Schema of its format in, located errors out.

Every error of the file is reported, with the line it is on, what was expected and, for a
misspelt key or value, what may have been meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from adjudge.documents.model import Parsed, join
from adjudge.errors import AdjudgeError, InputError
from adjudge.source import Location
from adjudge.yamlpolicy.problems import choices, close_match, shown
from adjudge.yamlpolicy.shapes import type_words

MAX_ERRORS: Final = 100
"""How many errors of one file are reported."""


class Structure:
    """The errors of one file.

    ``prefix`` begins the codes: ``release`` gives ``release_unknown_key``, ``_missing_key``,
    ``_type`` and ``_value``.  Pointers are JSON pointers into the file.
    """

    def __init__(self, parsed: Parsed, file: str, prefix: str) -> None:
        self.parsed = parsed
        self.file = file
        self.prefix = prefix
        self.errors: list[AdjudgeError] = []
        self._known: set[tuple[str, str, Location]] = set()

    def location(self, pointer: str, *, key: bool = False) -> Location:
        """Where the value (or its key) at ``pointer`` starts, or what encloses it."""
        while True:
            place = self.parsed.locate_key(pointer) if key else None
            place = place or self.parsed.locate(pointer)
            if place is not None:
                return Location(self.file, place.line, place.column)
            if not pointer:
                return Location(self.file, 1, 1)
            pointer = pointer.rpartition("/")[0]

    def add(
        self, code: str, message: str, pointer: str, hint: str | None = None, *, key: bool = False
    ) -> None:
        """An error at a pointer; the same one again and what is over :data:`MAX_ERRORS` is not
        added."""
        location = self.location(pointer, key=key)
        known = (code, message, location)
        if known in self._known or len(self.errors) >= MAX_ERRORS:
            return
        self._known.add(known)
        start, end = self.parsed.lines.span(location.row) or (0, 0)
        source = self.parsed.lines.text[start:end]
        self.errors.append(
            InputError(
                f"{self.prefix}_{code}", message, location=location, hint=hint, source=source
            )
        )

    def check(self, schema: Mapping[str, Any]) -> None:
        """Add what ``schema`` (JSON Schema 2020-12) refuses."""
        # jsonschema takes a tenth of a second to import; most runs read no such file.
        from jsonschema import Draft202012Validator

        for error in Draft202012Validator(schema).iter_errors(self.parsed.value):
            self._report(
                error.validator, error.instance, error.schema, join("", *error.absolute_path)
            )

    def _report(self, keyword: str, instance: Any, schema: Mapping[str, Any], at: str) -> None:
        if keyword == "additionalProperties":
            self._unknown_keys(instance, schema, at)
        elif keyword == "required":
            self._missing_keys(instance, schema, at)
        elif keyword == "type":
            found = "nothing" if instance is None else type_words(instance)
            expected = described(schema)
            self.add("type", f"expected {expected}, found {found}", at, _quote(instance, schema))
        else:
            message = f"expected {described(schema)}, found {shown(instance)}"
            near = suggestion(instance, schema.get("enum", ()))
            self.add("value", message, at, near or schema.get("x-hint"))

    def _unknown_keys(
        self, instance: Mapping[str, Any], schema: Mapping[str, Any], at: str
    ) -> None:
        known = schema.get("properties", {})
        for name in instance:
            if name not in known:
                hint = suggestion(name, known) or f"known are {choices(known, 30)}"
                self.add(
                    "unknown_key",
                    f"{shown(name)} is not known here",
                    join(at, name),
                    hint,
                    key=True,
                )

    def _missing_keys(
        self, instance: Mapping[str, Any], schema: Mapping[str, Any], at: str
    ) -> None:
        for name in schema["required"]:
            if name not in instance:
                about = schema.get("properties", {}).get(name, {})
                self.add("missing_key", f"{name} is missing", at, f"add {name}: {described(about)}")


def described(schema: Mapping[str, Any]) -> str:
    """What a schema asks for, in words."""
    text = schema.get("description")
    if isinstance(text, str):
        return text
    if "const" in schema:
        return shown(schema["const"])
    if "enum" in schema:
        return choices(map(str, schema["enum"]), 30)
    kind = schema.get("type")
    return f"a {kind}" if isinstance(kind, str) else "another value"


def suggestion(name: Any, known: Iterable[str]) -> str | None:
    """``did you mean x?`` for the known name most like ``name``, or None."""
    near = close_match(name, known) if isinstance(name, str) else None
    return f"did you mean {near}?" if near else None


def _quote(instance: Any, schema: Mapping[str, Any]) -> str | None:
    """The hint to quote a number that is meant as text (``version: 1.10``)."""
    if isinstance(instance, (int, float)) and "string" in schema["type"]:
        return "put it in quotes: it is a text here"
    return None
