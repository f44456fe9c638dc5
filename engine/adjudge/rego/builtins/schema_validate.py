"""Validation against a compiled JSON Schema: consumes a document, produces the errors found.

Keys are visited in their order, where the library in OPA visits them in none.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Final, NamedTuple

from adjudge.rego.builtins.registry import BuiltinContext
from adjudge.rego.builtins.schema_compile import ROOT, Node
from adjudge.rego.builtins.schema_formats import has_format, matches
from adjudge.rego.builtins.schema_json import as_fraction, canonical, shown_number


class Failure(NamedTuple):
    """Something wrong: a stable name, the path of the value, a sentence."""

    kind: str
    field: str
    description: str


class Result:
    """The failures, and a score of how near the document came; it picks which alternative's
    failures are reported."""

    def __init__(self) -> None:
        self.failures: list[Failure] = []
        self.score = 0

    @property
    def valid(self) -> bool:
        return not self.failures

    def fail(self, kind: str, path: str, description: str) -> None:
        self.failures.append(Failure(kind, path.removeprefix(f"{ROOT}."), description))
        self.score -= 2

    def merge(self, other: Result) -> None:
        self.failures.extend(other.failures)
        self.score += other.score


def _type_of(value: Any, number: Fraction | None) -> str:
    if number is not None:
        return "integer" if number.denominator == 1 else "number"
    if value is None:
        return "null"
    names = {bool: "boolean", str: "string", list: "array", dict: "object"}
    return names[value.__class__]


class Validator:
    """Validates documents; charges the context for every value visited.

    A schema that leads to itself without going into the document ends in RecursionError.
    """

    def __init__(self, ctx: BuiltinContext) -> None:
        self._ctx = ctx

    def validate(self, node: Node, value: Any, path: str = ROOT) -> Result:
        """The failures of a value, whose path in the document is given."""
        result = Result()
        self._visit(node, value, path, result)
        return result

    def _visit(self, node: Node, value: Any, path: str, result: Result) -> None:
        self._ctx.charge(1)
        while node.verdict is None and node.target is not None:
            if node.target is node:
                raise RecursionError
            node = node.target
        if node.verdict is not None:
            if not node.verdict:
                result.fail("false", path, "False always fails validation")
            return
        number = as_fraction(value)
        given = _type_of(value, number)
        allowed = given in node.types or (given == "integer" and "number" in node.types)
        if node.types and not allowed:
            result.fail(
                "invalid_type", path, f"Invalid type. Expected: {node.expected}, given: {given}"
            )
            return
        self._check_logic(node, value, path, result)
        if isinstance(value, list):
            self._check_array(node, value, path, result)
        elif isinstance(value, dict):
            self._check_object(node, value, path, result)
        elif number is not None:
            _check_number(node, number, path, result)
        _check_common(node, value, path, result)
        if isinstance(value, str):
            _check_text(node, value, path, result)
        elif isinstance(value, dict):
            for name, child in node.properties.items():
                if name in value:
                    self._visit(child, value[name], f"{path}.{name}", result)
        result.score += 1

    # -- combinations of schemas ---------------------------------------------------------

    def _check_logic(self, node: Node, value: Any, path: str, result: Result) -> None:
        self._check_any_of(node.groups.get("anyOf", []), value, path, result)
        self._check_one_of(node.groups.get("oneOf", []), value, path, result)
        self._check_all_of(node.groups.get("allOf", []), value, path, result)
        if "not" in node.single and self.validate(node.single["not"], value, path).valid:
            result.fail("number_not", path, "Must not validate the schema (not)")
        if isinstance(value, dict):
            self._check_dependencies(node, value, path, result)
        if "if" in node.single:
            name = "then" if self.validate(node.single["if"], value, path).valid else "else"
            if name in node.single:
                branch = self.validate(node.single[name], value, path)
                if not branch.valid:
                    was = "valid" if name == "then" else "not valid"
                    sentence = f'Must validate "{name}" as "if" was {was}'
                    result.fail(f"condition_{name}", path, sentence)
                    result.merge(branch)
        result.score += 1

    def _check_any_of(self, nodes: list[Node], value: Any, path: str, result: Result) -> None:
        best: Result | None = None
        for node in nodes:
            attempt = self.validate(node, value, path)
            if attempt.valid:
                return
            if best is None or attempt.score > best.score:
                best = attempt
        if best is not None:
            result.fail("number_any_of", path, "Must validate at least one schema (anyOf)")
            result.merge(best)

    def _check_one_of(self, nodes: list[Node], value: Any, path: str, result: Result) -> None:
        best: Result | None = None
        valid = 0
        for node in nodes:
            attempt = self.validate(node, value, path)
            if attempt.valid:
                valid += 1
            elif best is None or attempt.score > best.score:
                best = attempt
        if nodes and valid != 1:
            result.fail("number_one_of", path, "Must validate one and only one schema (oneOf)")
            if not valid and best is not None:
                result.merge(best)

    def _check_all_of(self, nodes: list[Node], value: Any, path: str, result: Result) -> None:
        valid = True
        for node in nodes:
            attempt = self.validate(node, value, path)
            valid &= attempt.valid
            result.merge(attempt)
        if not valid:
            result.fail("number_all_of", path, "Must validate all the schemas (allOf)")

    def _check_dependencies(
        self, node: Node, value: dict[str, Any], path: str, result: Result
    ) -> None:
        for name, dependency in node.dependencies.items():
            if name not in value:
                continue
            if isinstance(dependency, Node):
                self._visit(dependency, value, path, result)
                continue
            for other in dependency:
                if other not in value:
                    result.fail("missing_dependency", path, f"Has a dependency on {other}")

    # -- arrays and objects --------------------------------------------------------------

    def _check_array(self, node: Node, value: list[Any], path: str, result: Result) -> None:
        schemas = node.items
        for index, item in enumerate(value):
            if node.one_items_schema:
                schema: Node | bool | None = schemas[0]
            elif index < len(schemas):
                schema = schemas[index]
            else:
                schema = node.additional_items if schemas else None
            if isinstance(schema, Node):
                result.merge(self.validate(schema, item, f"{path}.{index}"))
            elif schema is False:
                sentence = "No additional items allowed on array"
                result.fail("array_no_additional_items", path, sentence)
                break
        if len(value) < node.counts.get("minItems", 0):
            sentence = f"Array must have at least {node.counts['minItems']} items"
            result.fail("array_min_items", path, sentence)
        if len(value) > node.counts.get("maxItems", len(value)):
            sentence = f"Array must have at most {node.counts['maxItems']} items"
            result.fail("array_max_items", path, sentence)
        if node.unique_items:
            _check_unique(value, path, result)
        if node.contains is not None:
            self._check_contains(node.contains, value, path, result)
        result.score += 1

    def _check_contains(self, node: Node, value: list[Any], path: str, result: Result) -> None:
        best: Result | None = None
        for index, item in enumerate(value):
            attempt = self.validate(node, item, f"{path}.{index}")
            if attempt.valid:
                return
            if best is None or attempt.score > best.score:
                best = attempt
        result.fail("contains", path, "At least one of the items must match")
        if best is not None:
            result.merge(best)

    def _check_object(self, node: Node, value: dict[str, Any], path: str, result: Result) -> None:
        if len(value) < node.counts.get("minProperties", 0):
            sentence = f"Must have at least {node.counts['minProperties']} properties"
            result.fail("array_min_properties", path, sentence)
        if len(value) > node.counts.get("maxProperties", len(value)):
            sentence = f"Must have at most {node.counts['maxProperties']} properties"
            result.fail("array_max_properties", path, sentence)
        for name in node.required:
            if name in value:
                result.score += 1
            else:
                result.fail("required", path, f"{name} is required")
        for name, item in sorted(value.items()):
            self._check_property(node, name, item, path, result)
        if node.property_names is not None:
            for name in sorted(value):
                attempt = self.validate(node.property_names, name, path)
                if not attempt.valid:
                    sentence = f'Property name of "{name}" does not match'
                    result.fail("invalid_property_name", path, sentence)
                    result.merge(attempt)
        result.score += 1

    def _check_property(self, node: Node, name: str, item: Any, path: str, result: Result) -> None:
        matched = False
        for pattern, schema in node.pattern_properties:
            if matches(pattern, name):
                matched = True
                result.merge(self.validate(schema, item, f"{path}.{name}"))
        if matched:
            result.score += 1
        elif name not in node.properties:
            extra = node.additional_properties
            if isinstance(extra, Node):
                result.merge(self.validate(extra, item, f"{path}.{name}"))
            elif extra is False:
                sentence = f"Additional property {name} is not allowed"
                result.fail("additional_property_not_allowed", path, sentence)


# -- single values -------------------------------------------------------------------


def _check_common(node: Node, value: Any, path: str, result: Result) -> None:
    field = path.removeprefix(f"{ROOT}.")
    if node.const is not None or node.enum is not None:
        text = canonical(value)
        if node.const is not None and text != node.const:
            result.fail("const", path, f"{field} does not match: {node.const}")
        if node.enum is not None and text not in node.enum:
            allowed = ", ".join(node.enum)
            result.fail("enum", path, f"{field} must be one of the following: {allowed}")
    if node.format and not has_format(node.format, value):
        result.fail("format", path, f"Does not match format '{node.format}'")
    result.score += 1


def _check_unique(value: list[Any], path: str, result: Result) -> None:
    seen: dict[str, int] = {}
    for index, text in enumerate(map(canonical, value)):
        if text in seen:
            sentence = f"array items[{seen[text]},{index}] must be unique"
            result.fail("unique", path, sentence)
        seen[text] = index


def _check_text(node: Node, value: str, path: str, result: Result) -> None:
    if len(value) < node.counts.get("minLength", 0):
        sentence = f"String length must be greater than or equal to {node.counts['minLength']}"
        result.fail("string_gte", path, sentence)
    if len(value) > node.counts.get("maxLength", len(value)):
        sentence = f"String length must be less than or equal to {node.counts['maxLength']}"
        result.fail("string_lte", path, sentence)
    if node.pattern is not None and not matches(node.pattern[1], value):
        result.fail("pattern", path, f"Does not match pattern '{node.pattern[0]}'")
    result.score += 1


_LIMITS: Final = (
    ("maximum", "number_lte", "less than or equal to"),
    ("exclusiveMaximum", "number_lt", "less than"),
    ("minimum", "number_gte", "greater than or equal to"),
    ("exclusiveMinimum", "number_gt", "greater than"),
)


def _check_number(node: Node, number: Fraction, path: str, result: Result) -> None:
    factor = node.numbers.get("multipleOf")
    if factor is not None and (number / factor).denominator != 1:
        result.fail("multiple_of", path, f"Must be a multiple of {shown_number(factor)}")
    for name, kind, words in _LIMITS:
        limit = node.numbers.get(name)
        if limit is None:
            continue
        within = {
            "number_lte": number <= limit,
            "number_lt": number < limit,
            "number_gte": number >= limit,
            "number_gt": number > limit,
        }
        if not within[kind]:
            result.fail(kind, path, f"Must be {words} {shown_number(limit)}")
    result.score += 1
