"""Checks a policy against the published JSON Schema: a parsed text in, located problems out.

The schema beside this module is the published form of the format; what it cannot say
(paths, types, patterns) is checked while the conditions are compiled.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any, Final

from adjudge.documents.model import join
from adjudge.yamlpolicy.problems import Problems, choices, close_match, shown
from adjudge.yamlpolicy.shapes import type_words

FORMS: Final = ("path", "all", "any", "none", "not", "for_each", "rego")
"""The keys of which a condition has exactly one."""


@cache
def policy_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of policy files; not to be changed by the caller."""
    text = resources.files(__package__).joinpath("schema/policy-v1.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


@cache
def operators() -> tuple[str, ...]:
    """The operators of a condition with a path, in the order of the schema."""
    properties = policy_schema()["$defs"]["condition"]["properties"]
    return tuple(k for k in properties if k not in FORMS)


@cache
def _validator() -> Any:
    # jsonschema takes a tenth of a second to import; a compiled policy does not need it.
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError
    from jsonschema.validators import extend

    # The library compares every pair of items of different types.
    def unique(_: Any, wanted: bool, items: Any, __: Any) -> Iterator[Any]:
        if wanted and isinstance(items, list):
            if len({(isinstance(v, bool), v) for v in _hashable(items)}) < len(items):
                yield ValidationError("has non-unique elements")

    keywords: Any = {"uniqueItems": unique}
    validator: Any = extend(Draft202012Validator, keywords)  # type: ignore[no-untyped-call]
    return validator(policy_schema())


@cache
def _compiled() -> Any:
    # Imported when the first YAML policy is read: Rego policies need no schema.
    import jsonschema_rs

    return jsonschema_rs.Draft202012Validator(policy_schema())


def _hashable(items: list[Any]) -> list[Any]:
    return [json.dumps(v) if isinstance(v, (dict, list)) else v for v in items]


def check_structure(value: Any, problems: Problems) -> set[str]:
    """Report what the schema refuses; the pointers of the values that are wrong.

    The pointer of a mapping with an unknown key is among them, and of one that lacks a key.
    They are complete unless ``problems`` is full.
    """
    wrong: set[str] = set()
    if _compiled().is_valid(value):
        return wrong
    # The verdict is cheap, the words for what is wrong are not.
    for error in _validator().iter_errors(value):
        pointer = join("", *error.absolute_path)
        wrong.add(pointer)
        if problems.full:
            break
        _Report(problems, pointer, error.instance, error.schema).add(error.validator)
    return wrong


class _Report:
    """Puts one refusal of the schema into words."""

    def __init__(
        self, problems: Problems, pointer: str, instance: Any, schema: Mapping[str, Any]
    ) -> None:
        self.problems = problems
        self.pointer = pointer
        self.instance = instance
        self.schema = schema

    def add(self, keyword: str) -> None:
        """Report that ``keyword`` of the schema does not hold."""
        special = {
            "additionalProperties": self._unknown_keys,
            "required": self._missing_keys,
            "oneOf": self._not_one_form,
            "anyOf": self._no_entries,
            "dependentRequired": self._operator_alone,
            "type": self._type,
        }.get(keyword)
        if special is not None:
            special()
            return
        limit = self.schema.get(keyword)
        self.problems.add(
            "value",
            f"expected {self._expected()}, found {shown(self.instance)}",
            self.pointer,
            _LIMITS.get(keyword, "").format(limit) or self._near(),
        )

    def _expected(self) -> str:
        known = self.schema.get("description")
        if isinstance(known, str):
            return known
        return shown(self.schema["const"]) if "const" in self.schema else "another value"

    def _near(self) -> str | None:
        allowed = self.schema.get("enum")
        if not allowed or not isinstance(self.instance, str):
            return None
        near = close_match(self.instance, allowed)
        return f"did you mean {near}?" if near else None

    def _type(self) -> None:
        found = "nothing" if self.instance is None else type_words(self.instance)
        hint = None
        if isinstance(self.instance, (int, float)) and "string" in self.schema["type"]:
            hint = "quote it: it is a text here"
        self.problems.add("type", f"expected {self._expected()}, found {found}", self.pointer, hint)

    def _unknown_keys(self) -> None:
        known = self.schema["properties"]
        for key in self.instance:
            if key in known or self.problems.full:
                continue
            near = close_match(key, [k for k in known if k not in self.instance])
            self.problems.add_at_key(
                "unknown_key",
                f"unknown key {shown(key)}",
                join(self.pointer, key),
                f"did you mean {near}?" if near else f"known keys: {choices(known, 40)}",
            )

    def _missing_keys(self) -> None:
        # There is one error for each missing key, and each reports all: the second is dropped.
        for key in self.schema["required"]:
            if key not in self.instance:
                what = f"expected {self._expected()}; the key {shown(key)} is missing"
                self.problems.add("missing_key", what, self.pointer)

    def _not_one_form(self) -> None:
        if not self._keys_are_known():
            return
        condition = policy_schema()["$defs"]["condition"]
        if self.schema is condition:
            self._forms()
        else:
            self._operators()

    def _forms(self) -> None:
        used = [k for k in FORMS if k in self.instance]
        if used:
            self.problems.add(
                "condition",
                f"a condition has one of {', '.join(FORMS)}; this one has {' and '.join(used)}",
                self.pointer,
                "put each into its own condition, and the conditions below all or any",
            )
        elif not any(k in self.instance for k in operators()):
            self.problems.add(
                "condition", f"a condition needs one of {', '.join(FORMS)}", self.pointer
            )

    def _operators(self) -> None:
        used = [k for k in operators() if k in self.instance]
        if not used:
            self.problems.add(
                "condition",
                f"the path {shown(self.instance['path'])} needs an operator",
                self.pointer,
                f"one of {', '.join(operators())}",
            )
            return
        self.problems.add(
            "condition",
            f"a condition has one operator; this one has {' and '.join(used)}",
            self.pointer,
            "put each into its own condition, and the conditions below all or any",
        )

    def _keys_are_known(self) -> bool:
        """Whether nothing more basic is wrong, which is then reported on its own."""
        known = policy_schema()["$defs"]["condition"]["properties"]
        return isinstance(self.instance, dict) and self.instance.keys() <= known.keys()

    def _operator_alone(self) -> None:
        if not self._keys_are_known():
            return
        used = [k for k in operators() if k in self.instance and "path" not in self.instance]
        what = f"{' and '.join(used)} needs a path to look at"
        self.problems.add("condition", what, self.pointer, "add path: beside it")

    def _no_entries(self) -> None:
        self.problems.add(
            "missing_key", "a policy needs deny or warn: without them it decides nothing", ""
        )


_LIMITS: Final = {
    "minLength": "it must not be empty",
    "maxLength": "at most {} characters",
    "minItems": "at least {} is needed",
    "maxItems": "at most {} are accepted",
    "uniqueItems": "one of the values is there twice",
    "minimum": "at least {}",
    "minProperties": "at least {} is needed",
    "maxProperties": "at most {} are accepted",
}
