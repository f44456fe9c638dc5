"""A Markdown model card, with or without front matter: text in, Document out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from adjudge.canonical import sha256_hex
from adjudge.documents import model_card_results as results
from adjudge.documents.facts import Sheet, number_of, text_of, texts_of
from adjudge.documents.model import (
    Document,
    FileRecord,
    Limits,
    LineIndex,
    Parsed,
    Position,
    error_at,
    file_record,
    join,
    split,
)
from adjudge.documents.model_card_facts import card_sheet, put_fields, put_license, put_references
from adjudge.documents.model_card_prose import put_prose
from adjudge.documents.model_card_text import Section, placeholders_in, read_sections
from adjudge.documents.reading import Source, decode_text, read_yaml
from adjudge.errors import InputError

_OPEN: Final = re.compile(r"[ \t\r\n]*---[ \t]*\r?\n")
_CLOSE: Final = re.compile(r"^---[ \t]*\r?$", re.M)
_KEY_LINE: Final = re.compile(r"[A-Za-z_][\w .-]{0,60}:(?:[ \t]|\r?\n|\Z)")
_MAX_RESULT_FILES: Final = 200
_MAX_SECTIONS: Final = 2000


class _Results(NamedTuple):
    """One file of ``.eval_results``: its name beside the card and its parsed entries."""

    source: Source
    path: str
    parsed: Parsed
    data: bytes


def load_markdown(source: Source, data: bytes, limits: Limits) -> Document:
    """The card in ``data``; the evaluation results beside it are read too.

    ``document`` is ``{"front_matter": {…} or null, "body": text, "sections": [{title, level,
    path, line, text}], "eval_results": [{path, entries}]}``.

    Raises InputError ``model_card_empty``, ``model_card_too_many_sections``,
    ``front_matter_unclosed``, ``front_matter_not_a_mapping``, and what :func:`read_yaml` and
    :func:`decode_text` raise.
    """
    lines = LineIndex(source.shown, decode_text(data, source.shown))
    if not lines.text.strip():
        raise source.error("model_card_empty", f"{source.shown} is empty")
    front, body_start = _front_matter(lines, limits)
    first = lines.position(body_start).line
    sections = read_sections(lines.text[body_start:], first)
    if len(sections) > _MAX_SECTIONS:
        raise source.error(
            "model_card_too_many_sections",
            f"{source.shown} has more than {_MAX_SECTIONS} headings",
            hint="a model card is a document for people; name the right file",
        )
    sheet = card_sheet("huggingface" if front else "markdown")
    if front is not None:
        sheet.facts["front_matter"] = True
        _put_front_matter(sheet, front, source.shown)
    found = _eval_results(source, sheet, limits)
    for index, result in enumerate(found):
        base = f"/eval_results/{index}/entries"
        results.put_eval_results(sheet, result.parsed.value, base, result.source.shown)
    put_prose(sheet, sections, source.shown)
    return Document(
        kind="model_card",
        path=source.shown,
        digest=sha256_hex(data),
        size=len(data),
        document=_document(lines, body_start, front, sections, found),
        facts=sheet.facts,
        problems=sheet.problems,
        files=_files(source, data, found),
        locator=_Places(lines, front, sections, found),
        origins=sheet.origins,
        sources={lines.file: lines} | {r.source.shown: r.parsed.lines for r in found},
    )


def _front_matter(lines: LineIndex, limits: Limits) -> tuple[Parsed | None, int]:
    """The parsed front matter, None without one, and the offset where the body starts."""
    text = lines.text
    opening = _OPEN.match(text)
    if opening is None:
        return None, 0
    closing = _CLOSE.search(text, opening.end())
    if closing is None:
        if _KEY_LINE.match(text, opening.end()) is None:
            return None, 0  # a rule above plain prose
        raise error_at(
            lines,
            text.index("---"),
            "front_matter_unclosed",
            "the front matter has no closing line '---'",
            "close it with a line of three hyphens",
        )
    start = opening.end()
    yaml_text = text[start : closing.start()]
    parsed = read_yaml(yaml_text, lines.file, limits, lines=lines, start=start)
    value = {} if parsed.value is None else parsed.value
    if not isinstance(value, dict):
        raise error_at(
            lines,
            start,
            "front_matter_not_a_mapping",
            "the front matter is not a mapping of keys to values",
            "write 'key: value' lines between the '---' lines",
        )
    body_start = min(closing.end() + 1, len(text))
    return Parsed(value, lines, parsed.find, parsed.spellings), body_start


def _put_front_matter(sheet: Sheet, front: Parsed, file: str) -> None:
    fields: Mapping[str, Any] = front.value
    for key in ("name", "model_name"):
        sheet.put("name", text_of(fields.get(key)), f"/front_matter/{key}")
    for key in ("version", "model_version"):
        _put_version(sheet, front, key)
    for fact in ("library_name", "pipeline_tag"):
        sheet.put(fact, text_of(fields.get(fact)), f"/front_matter/{fact}")
    for fact, key in (("language", "language"), ("tags", "tags"), ("declared_metrics", "metrics")):
        value = fields.get(key)
        for index, text in enumerate(texts_of(value)):
            at = f"/front_matter/{key}"
            sheet.add(fact, text, join(at, index) if isinstance(value, list) else at)
    put_license(sheet, texts_of(fields.get("license")), "/front_matter/license")
    for inner in ("name", "link"):
        key = f"license_{inner}"
        sheet.put(f"license.{inner}", text_of(fields.get(key)), f"/front_matter/{key}")
    put_references(sheet, "datasets", fields.get("datasets"), "/front_matter/datasets")
    put_references(sheet, "base_models", fields.get("base_model"), "/front_matter/base_model")
    _put_relation(sheet, fields)
    put_fields(sheet, fields, "/front_matter")
    models = fields.get("model-index")
    results.put_model_index(sheet, models, "/front_matter/model-index", file)
    if isinstance(models, list) and models and isinstance(models[0], Mapping):
        sheet.put("name", text_of(models[0].get("name")), "/front_matter/model-index/0/name")
    _put_placeholders(sheet, front)


def _put_version(sheet: Sheet, front: Parsed, key: str) -> None:
    value = front.value.get(key)
    text = text_of(value)
    if number_of(value) is not None:
        text = front.spelling(f"/{key}") or text
        sheet.problem(
            "version_not_quoted",
            f"the version {text} is an unquoted number: other readers change it",
            f"/document/front_matter/{key}",
            warning=True,
        )
    sheet.put("version", text, f"/front_matter/{key}")


def _put_relation(sheet: Sheet, fields: Mapping[str, Any]) -> None:
    relation = text_of(fields.get("base_model_relation"))
    revision = text_of(fields.get("base_model_revision"))
    models: list[dict[str, Any]] = sheet.facts["base_models"]
    for number, model in enumerate(models):
        for key, value in (("relation", relation), ("revision", revision)):
            if value and key not in model:
                model[key] = value
                sheet.origins[f"/base_models/{number}/{key}"] = f"/front_matter/base_model_{key}"


def _put_placeholders(sheet: Sheet, front: Parsed) -> None:
    stack: list[tuple[str, Any]] = [("", front.value)]
    found: list[tuple[Position, str, str]] = []
    while stack:
        pointer, value = stack.pop()
        if isinstance(value, dict):
            stack.extend((join(pointer, k), v) for k, v in value.items())
        elif isinstance(value, list):
            stack.extend((join(pointer, i), v) for i, v in enumerate(value))
        elif isinstance(value, str):
            place = front.locate(pointer) or Position(front.lines.file, 1, 1)
            for line in value.split("\n"):
                found.extend((place, text, pointer) for text in placeholders_in(line))
    for place, text, pointer in sorted(found):
        entry = {"text": text, "line": place.line, "section": "/front_matter" + pointer}
        sheet.add("placeholders", entry, "/front_matter" + pointer)


def _eval_results(source: Source, sheet: Sheet, limits: Limits) -> list[_Results]:
    """The readable files of ``.eval_results`` beside the card; the others become problems."""
    folder = source.sibling(".eval_results")
    try:
        if folder.type() != "directory":
            return []
        files = [f for f in folder.walk(limits).files() if f.name.endswith((".yaml", ".yml"))]
    except InputError as error:
        _unreadable(sheet, error, folder)
        return []
    if len(files) > _MAX_RESULT_FILES:
        sheet.problem(
            "eval_results_too_many",
            f"only the first {_MAX_RESULT_FILES} files of .eval_results are read",
            "/document/eval_results",
        )
    found = []
    for file in files[:_MAX_RESULT_FILES]:
        try:
            data = file.read(limits.max_yaml_bytes)
            parsed = read_yaml(decode_text(data, file.shown), file.shown, limits)
        except InputError as error:
            _unreadable(sheet, error, file)
            continue
        path = file.shown[len(folder.shown) - len(".eval_results") :]
        found.append(_Results(file, path, parsed, data))
    return found


def _unreadable(sheet: Sheet, error: InputError, file: Source) -> None:
    sheet.problem(
        "eval_results_unreadable",
        f"{file.shown} cannot be read ({error.code}): {error.message}",
        "/document/eval_results",
    )


def _document(
    lines: LineIndex,
    body_start: int,
    front: Parsed | None,
    sections: list[Section],
    found: list[_Results],
) -> dict[str, Any]:
    return {
        "front_matter": None if front is None else front.value,
        "body": lines.text[body_start:],
        "sections": [
            {
                "title": s.title,
                "level": s.level,
                "path": s.shown_path,
                "line": s.line,
                "text": s.text,
            }
            for s in sections
        ],
        "eval_results": [{"path": r.path, "entries": r.parsed.value} for r in found],
    }


def _files(source: Source, data: bytes, found: list[_Results]) -> list[FileRecord]:
    if not found:
        return []
    card = file_record(source.shown.rpartition("/")[2], sha256_hex(data), len(data))
    return [card, *(file_record(r.path, sha256_hex(r.data), len(r.data)) for r in found)]


class _Places:
    """Finds pointers of the document made by :func:`_document`."""

    def __init__(
        self,
        lines: LineIndex,
        front: Parsed | None,
        sections: list[Section],
        found: list[_Results],
    ) -> None:
        self._lines = lines
        self._front = front
        self._sections = sections
        self._found = found

    def __call__(self, pointer: str) -> Position | None:
        head, *rest = split(pointer) or [""]
        if head == "front_matter" and self._front is not None:
            if not rest:
                return Position(self._lines.file, 1, 1)
            return self._front.locate(join("", *rest))
        if (
            head in ("sections", "eval_results")
            and rest
            and rest[0].isdecimal()
            and len(rest[0]) < 9
        ):
            items = self._sections if head == "sections" else self._found
            if int(rest[0]) >= len(items):
                return None
            item = items[int(rest[0])]
            if isinstance(item, Section):
                return Position(self._lines.file, item.line, 1)
            return item.parsed.locate(join("", *rest[2:]))
        if head == "body":
            return Position(self._lines.file, self._sections[0].line, 1)
        return None
