"""Examples and tests of a prompt bundle: lists of any shape in, counted and classed facts out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from adjudge.documents.facts import Sheet, text_of
from adjudge.documents.prompt_bundle_files import Part
from adjudge.documents.prompt_bundle_scan import is_synthetic

_ASSERTION_LISTS: Final = ("assertions", "assert", "expectations", "checks")
_EXPECTED: Final = ("expected", "expected_output", "expect")
_NOT_ASSERTIONS: Final = frozenset({"weight", "metric", "provider", "name", "description"})
_SYNONYMS: Final = {
    "prompt_injection": "injection",
    "injection_attack": "injection",
    "jailbreak": "injection",
    "refusals": "refusal",
    "privacy": "pii",
    "personal_data": "pii",
    "output_format": "format",
    "json": "format",
    "schema": "format",
}
_BY_NAME: Final = tuple(
    (category, re.compile(pattern))
    for category, pattern in (
        ("injection", r"inject|jailbreak|ignore_(?:previous|instructions)|prompt_leak|override"),
        ("refusal", r"refus|declin|disallow|harmful|unsafe"),
        ("pii", r"(?:^|_)pii|personal_data|privacy|mask"),
        ("format", r"format|(?:^|_)json(?:_|$)|schema"),
        ("regression", r"regression"),
    )
)
_NOT_WORD: Final = re.compile(r"[^a-z0-9]+")


def items_of(part: Part | None, name: str) -> tuple[list[Any], str]:
    """The items of a part, and the pointer they stand under in it."""
    if part is None:
        return [], ""
    if isinstance(part.value, Mapping):
        return part.value[name], f"/{name}"
    return part.value, ""


def put_examples(sheet: Sheet, part: Part | None) -> None:
    """How many examples there are and whether they are made up."""
    items, _ = items_of(part, "examples")
    marked = [isinstance(i, Mapping) and i.get("synthetic") is True for i in items]
    whole = part is not None and is_synthetic(part)
    sheet.facts["examples"] = {
        "count": len(items),
        "synthetic": bool(items) and (whole or all(marked)),
    }
    sheet.origins["/examples"] = "/examples"
    sheet.origins["/examples/count"] = "/examples"
    sheet.origins["/examples/synthetic"] = "/examples"


def put_tests(sheet: Sheet, part: Part | None) -> None:
    """The tests with their categories and assertions."""
    items, inner = items_of(part, "tests")
    by_category: dict[str, int] = sheet.facts["tests_by_category"]
    sheet.origins["/tests"] = "/tests"
    sheet.origins["/tests_by_category"] = "/tests"
    for index, item in enumerate(items):
        at = f"/tests{inner}/{index}"
        if not isinstance(item, Mapping):
            sheet.problem("field_type", "a test is not an object", "/document" + at)
            continue
        test = _test(item)
        sheet.add("tests", test, at)
        if test["assertions"]:
            category = test["category"]
            by_category[category] = by_category.get(category, 0) + 1
            sheet.origins.setdefault(f"/tests_by_category/{category}", at)
        else:
            name = test.get("name") or f"#{index}"
            sheet.add("tests_without_assertions", name, at)


def _test(item: Mapping[str, Any]) -> dict[str, Any]:
    name = text_of(item.get("name") or item.get("id") or item.get("description"))
    category, declared = _category(item, name)
    test: dict[str, Any] = {"name": name[:200]} if name else {}
    return test | {
        "category": category,
        "category_declared": declared,
        "assertions": _assertions(item),
    }


def _category(item: Mapping[str, Any], name: str) -> tuple[str, bool]:
    said = item.get("category") or item.get("type")
    tags = item.get("tags")
    if not isinstance(said, str) and isinstance(tags, list) and tags:
        said = tags[0]
    if isinstance(said, str) and said.strip():
        word = _slug(said)
        return _SYNONYMS.get(word, word), True
    slug = _slug(name)
    return next((c for c, pattern in _BY_NAME if pattern.search(slug)), "other"), False


def _slug(text: str) -> str:
    return _NOT_WORD.sub("_", text[:200].lower()).strip("_")


def _assertions(item: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for key in _ASSERTION_LISTS:
        value = item.get(key)
        entries = value if isinstance(value, list) else [] if value is None else [value]
        for entry in entries:
            found.extend(_assertion(entry))
    found.extend({"type": "equals", "value": item[k]} for k in _EXPECTED if item.get(k) is not None)
    return found


def _assertion(entry: Any) -> list[dict[str, Any]]:
    """``{"contains": x}``, ``{"type": "contains", "value": x}``, or a sentence."""
    if isinstance(entry, str):
        return [{"type": "text", "value": entry}] if entry.strip() else []
    if not isinstance(entry, Mapping):
        return []
    if isinstance(entry.get("type"), str):
        value = {"value": entry["value"]} if "value" in entry else {}
        return [{"type": entry["type"], **value}]
    return [{"type": str(k), "value": v} for k, v in entry.items() if k not in _NOT_ASSERTIONS]
