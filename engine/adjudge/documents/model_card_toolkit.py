"""A Model Card Toolkit card (JSON): parsed text in, Document out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from adjudge.canonical import sha256_hex
from adjudge.documents.facts import Sheet, number_of, text_of, texts_of
from adjudge.documents.model import Document, Parsed, Position, join
from adjudge.documents.model_card_facts import card_sheet, put_fields, put_license, put_owners
from adjudge.documents.model_card_results import add_metric, interval_of
from adjudge.documents.model_card_text import placeholders_in
from adjudge.documents.reading import Source

_PARTS: Final = ("schema_version", "model_parameters", "considerations", "quantitative_analysis")


def is_toolkit_card(value: Any) -> bool:
    """Whether a JSON value has the shape of a Model Card Toolkit card."""
    return (
        isinstance(value, Mapping)
        and isinstance(value.get("model_details"), Mapping)
        and any(part in value for part in _PARTS)
    )


def load_toolkit(source: Source, data: bytes, parsed: Parsed) -> Document:
    """The card in ``data``, which was ``parsed``; ``document`` is the parsed JSON.

    Raises InputError ``model_card_shape`` for other JSON.
    """
    if not is_toolkit_card(parsed.value):
        raise source.error(
            "model_card_shape",
            f"{source.shown} is JSON, but neither a Model Card Toolkit card nor an SBOM",
            hint="expected model_details with model_parameters, considerations or "
            "quantitative_analysis",
        )
    sheet = card_sheet("model_card_toolkit")
    card = _Card(parsed, sheet)
    _put_details(card)
    _put_parameters(card)
    _put_analysis(card, source.shown)
    _put_considerations(card)
    put_fields(sheet, parsed.value, "")
    put_placeholders(sheet, parsed, "", parsed.value)
    return Document(
        kind="model_card",
        path=source.shown,
        digest=sha256_hex(data),
        size=len(data),
        document=parsed.value,
        facts=sheet.facts,
        problems=sheet.problems,
        locator=parsed.locate,
        origins=sheet.origins,
        sources={source.shown: parsed.lines},
    )


class _Card:
    """Typed access to a card whose parts may have any shape; wrong shapes become problems."""

    def __init__(self, parsed: Parsed, sheet: Sheet) -> None:
        self.parsed = parsed
        self.sheet = sheet

    def part(self, *path: str) -> Mapping[str, Any]:
        """The object at ``path``, empty when it is missing or no object."""
        value: Any = self.parsed.value
        for index, key in enumerate(path):
            value = value.get(key)
            if value is None:
                return {}
            if not isinstance(value, Mapping):
                self._shape(join("", *path[: index + 1]), "an object")
                return {}
        result: Mapping[str, Any] = value
        return result

    def items(self, part: Mapping[str, Any], base: str, key: str) -> Iterator[tuple[str, Any]]:
        """The items of a list with their pointers; an object counts as a list of one."""
        value = part.get(key)
        if isinstance(value, list):
            for index, item in enumerate(value):
                yield join(base, key, index), item
        elif isinstance(value, Mapping):
            yield join(base, key), value
        elif value is not None:
            self._shape(join(base, key), "a list")

    def _shape(self, pointer: str, wanted: str) -> None:
        message = f"{pointer[1:]} is not {wanted}"
        self.sheet.problem("model_card_shape", message, "/document" + pointer)


def _put_details(card: _Card) -> None:
    sheet, details, base = card.sheet, card.part("model_details"), "/model_details"
    sheet.put("name", text_of(details.get("name")), f"{base}/name")
    for key in ("overview", "documentation"):
        sheet.put("overview", text_of(details.get(key)), f"{base}/{key}")
    version = details.get("version")
    if isinstance(version, Mapping):
        sheet.put("version", text_of(version.get("name")), f"{base}/version/name")
        sheet.put("training.date", text_of(version.get("date")), f"{base}/version/date")
    else:
        sheet.put("version", text_of(version), f"{base}/version")
    if "owners" in details:
        put_owners(sheet, details["owners"], f"{base}/owners")
    ids = []
    for key in ("licenses", "license"):
        for at, item in card.items(details, base, key):
            found = item if isinstance(item, Mapping) else {"identifier": item}
            ids.extend(texts_of(found.get("identifier")))
            sheet.put("license.name", text_of(found.get("custom_text")), f"{at}/custom_text")
    put_license(sheet, ids, f"{base}/licenses" if "licenses" in details else f"{base}/license")


def _put_parameters(card: _Card) -> None:
    sheet, base = card.sheet, "/model_parameters"
    parameters = card.part("model_parameters")
    sheet.put(
        "architecture", text_of(parameters.get("model_architecture")), f"{base}/model_architecture"
    )
    sheet.put("input_format", text_of(parameters.get("input_format")), f"{base}/input_format")
    sheet.put(
        "output_interpretation", text_of(parameters.get("output_format")), f"{base}/output_format"
    )
    for at, item in _data_sets(card, parameters, base):
        if not isinstance(item, Mapping) or not text_of(item.get("name")):
            sheet.problem("field_type", "a data set has no name", "/document" + at)
            continue
        sensitive = item.get("sensitive")
        kinds = sensitive.get("sensitive_data") if isinstance(sensitive, Mapping) else None
        entry: dict[str, Any] = {
            key: text_of(item.get(key))
            for key in ("name", "link", "description")
            if text_of(item.get(key))
        }
        if kinds := texts_of(kinds):
            entry["sensitive"] = kinds
        sheet.add("datasets", entry, at)


def _data_sets(card: _Card, parameters: Mapping[str, Any], base: str) -> Iterator[tuple[str, Any]]:
    """The training data sets: a list, or (schema 0.0.1) an object with train and eval."""
    data = parameters.get("data")
    if isinstance(data, Mapping) and ("train" in data or "eval" in data):
        if data.get("train"):
            yield f"{base}/data/train", data["train"]
    else:
        yield from card.items(parameters, base, "data")


def _put_analysis(card: _Card, file: str) -> None:
    base = "/quantitative_analysis"
    analysis = card.part("quantitative_analysis")
    for at, item in card.items(analysis, base, "performance_metrics"):
        if not isinstance(item, Mapping):
            card.sheet.problem("field_type", "a metric is not an object", "/document" + at)
            continue
        known = {
            key: text_of(item.get(key)) for key in ("type", "name", "slice", "dataset", "split")
        }
        add_metric(card.sheet, known, _value(item.get("value")), interval_of(item), at, file)


def _value(value: Any) -> Any:
    """The format writes numbers as texts."""
    if not isinstance(value, str) or len(value) > 60:
        return value
    try:
        number = float(value)
    except ValueError:
        return value
    return number if number_of(number) is not None and abs(number) != float("inf") else value


def _put_considerations(card: _Card) -> None:
    sheet, base = card.sheet, "/considerations"
    found = card.part("considerations")
    for fact, key in (
        ("users", "users"),
        ("intended_use", "use_cases"),
        ("limitations", "limitations"),
        ("limitations", "tradeoffs"),
    ):
        sheet.put(fact, text_of(found.get(key)), f"{base}/{key}")
    ethical = found.get("ethical_considerations")
    at = f"{base}/ethical_considerations"
    strategies = [
        text_of(item.get("mitigation_strategy"))
        for _, item in card.items(found, base, "ethical_considerations")
        if isinstance(item, Mapping)
    ]
    for fact in ("ethical", "risks"):
        sheet.put(fact, text_of(ethical), at)
    sheet.put("mitigations", "\n".join(s for s in strategies if s), at)


def put_placeholders(sheet: Sheet, parsed: Parsed, base: str, value: Any) -> None:
    """Note unfilled template text in ``value``, which stands at the pointer ``base``."""
    stack: list[tuple[str, Any]] = [(base, value)]
    found: list[tuple[str, str]] = []
    while stack:
        pointer, node = stack.pop()
        if isinstance(node, Mapping):
            stack.extend((join(pointer, k), v) for k, v in node.items())
        elif isinstance(node, list):
            stack.extend((join(pointer, i), v) for i, v in enumerate(node))
        elif isinstance(node, str) and len(node) < 100_000:
            found.extend((pointer, t) for line in node.split("\n") for t in placeholders_in(line))
    for pointer, text in sorted(found):
        place = parsed.locate(pointer) or Position("", 1, 1)
        entry = {"text": text, "line": place.line, "section": pointer}
        sheet.add("placeholders", entry, pointer)
