"""Prompt bundles: a version directory or one configuration file in, one Document out.

The layout is ``prompts/<name>/<version>/{config.yaml,system.txt,examples.json,tests.json}``;
everything but the configuration may also stand in the configuration.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from adjudge.canonical import sha256_hex
from adjudge.documents.facts import Sheet, text_of
from adjudge.documents.model import (
    DEFAULT_LIMITS,
    Document,
    Limits,
    LineIndex,
    Position,
    digest_of_files,
    join,
    split,
)
from adjudge.documents.prompt_bundle_config import (
    put_agent,
    put_identity,
    put_model,
    put_output,
    put_parameters,
    put_tools,
)
from adjudge.documents.prompt_bundle_files import (
    VERSION_DIRECTORY,
    Bundle,
    Part,
    Text,
    read_bundle,
)
from adjudge.documents.prompt_bundle_scan import Scan, scan_bundle
from adjudge.documents.prompt_bundle_tests import put_examples, put_tests
from adjudge.documents.prompt_template import read_template, sounds_untrusted
from adjudge.documents.reading import Source, read_json
from adjudge.errors import InputError

_VARIABLE_LISTS: Final = (
    "declared",
    "required",
    "used",
    "undeclared",
    "unused",
    "in_system",
    "untrusted",
    "exposed",
)
_SCHEMA_FILES: Final = ("schema.json", "output_schema.json", "output.schema.json")
_DISCLOSES: Final = re.compile(
    r"\b(?:tell|inform|disclose|reveal|state|say|remind|introduce yourself|identify yourself"
    r"|make (?:it )?clear|let\b[^.\n]{0,40}\bknow)\b[^.\n]{0,120}"
    r"\b(?:AI|artificial intelligence|automated|virtual assistant|chat ?bot|bot|machine)\b",
    re.IGNORECASE,
)
_AUTHORITY: Final = re.compile(
    r"\b(?:only|unless)\b[^.\n]{0,40}\b(?:admins?|administrators?|managers?|employees|staff"
    r"|authori[sz]ed (?:users?|personnel)|superusers?)\b[^.\n]{0,60}"
    r"|\bif (?:the |a )?user (?:is|says|claims|identifies|has|provides|enters)\b[^.\n]{0,60}"
    r"\b(?:admins?|administrators?|managers?|developers?|employees?|role|permission|password"
    r"|code)\b"
    r"|\b(?:password|passphrase|secret code|access code)\b\s{0,3}(?:is\b|=|:)",
    re.IGNORECASE,
)


def load(source: Source, limits: Limits = DEFAULT_LIMITS) -> Document:
    """The prompt bundle at ``source``, a directory or a configuration file.

    ``document`` is ``{"config": {…}, "system": text or null, "templates": {role: text},
    "examples": …, "tests": …}`` (the last two as parsed, null when missing or unreadable),
    with credentials replaced by ``[redacted:<kind>]``.  The digest of a directory is that of
    its file list (:func:`digest_of_files`), that of a single file its SHA-256.

    Raises InputError as :func:`read_bundle` says.
    """
    bundle = read_bundle(source, limits)
    sheet = Sheet(_skeleton(bundle))
    sheet.problems.extend(bundle.problems)
    scan = scan_bundle(bundle, sheet)
    _clean(bundle, scan)
    _put_config(bundle, sheet, limits)
    _put_versions(bundle, sheet)
    _put_texts(bundle, sheet, scan)
    put_examples(sheet, bundle.examples)
    put_tests(sheet, bundle.tests)
    records = bundle.records()
    return Document(
        kind="prompt_bundle",
        path=bundle.path,
        digest=digest_of_files(records) if bundle.directory else records[0]["sha256"],
        size=sum(r["size"] for r in records),
        document=_document(bundle, scan),
        facts=scan.clean(sheet.facts),
        problems=sheet.problems,
        files=records if bundle.directory else [],
        locator=_Places(bundle),
        origins=sheet.origins,
        sources=_sources(bundle),
        redactions=scan.redactions,
    )


def _skeleton(bundle: Bundle) -> dict[str, Any]:
    return {
        "format": "directory" if bundle.directory else "file",
        "version_valid": False,
        "changelog": any(m.path.upper().startswith("CHANGELOG") for m in bundle.members),
        "model": {"pinned": False},
        "parameters": {"stop": []},
        "variables": {name: [] for name in _VARIABLE_LISTS},
        "placements": [],
        "includes": [],
        "system": {"length": 0, "text_digest": sha256_hex(b""), "text": ""},
        "messages": [],
        "output": {"schema_present": False},
        "examples": {},
        "tests": [],
        "tests_by_category": {},
        "tests_without_assertions": [],
        "disclosure": {"present": False, "in_system": False},
        "tools": [],
        "agent": {},
        "secrets": [],
        "internal_hosts": [],
        "pii": [],
        "authority": [],
    }


def _clean(bundle: Bundle, scan: Scan) -> None:
    """Take credentials out of the parsed parts before facts are made of them."""
    for part in (bundle.config, bundle.examples, bundle.tests):
        if part is not None:
            part.value = scan.clean(part.value)


def _put_config(bundle: Bundle, sheet: Sheet, limits: Limits) -> None:
    config: Mapping[str, Any] = bundle.config.value
    put_identity(sheet, config, bundle.config.parsed)
    put_model(sheet, config)
    put_parameters(sheet, config)
    put_agent(sheet, config)
    put_tools(sheet, config)
    put_output(sheet, config, _schema_file(bundle, sheet, limits))
    said = config.get("disclosure", config.get("ai_disclosure"))
    key = "disclosure" if "disclosure" in config else "ai_disclosure"
    if isinstance(said, Mapping):
        text, flag = text_of(said.get("text")), said.get("enabled", True)
    else:
        text, flag = text_of(said), said
    if said is not None:
        sheet.origins["/disclosure"] = f"/config/{key}"
    sheet.facts["disclosure"]["present"] = flag is True or (bool(text) and flag is not False)
    sheet.put("disclosure.text", text, f"/config/{key}")


def _schema_file(bundle: Bundle, sheet: Sheet, limits: Limits) -> tuple[str, Any] | None:
    for member in bundle.members:
        if member.path in _SCHEMA_FILES and member.text is not None:
            try:
                return member.path, read_json(member.text, member.source.shown, limits).value
            except InputError as error:
                message = f"{member.source.shown} cannot be read ({error.code}): {error.message}"
                sheet.problem("schema_unreadable", message, "/facts/output")
    return None


def _put_versions(bundle: Bundle, sheet: Sheet) -> None:
    facts = sheet.facts
    inner, outer = bundle.parent_names
    directory = VERSION_DIRECTORY.match(inner)
    if directory:
        start = Position(bundle.config.parsed.lines.file, 1, 1)
        sheet.put("directory_version", directory[1], start)
        sheet.put("directory_name", outer, start)
    for fact, left, right in (
        ("version_matches", "version", "directory_version"),
        ("name_matches", "name", "directory_name"),
    ):
        if left in facts and right in facts:
            facts[fact] = facts[left] == facts[right]
            sheet.origins["/" + fact] = f"/config/{left}"


# --- templates --------------------------------------------------------------------------------


def _put_texts(bundle: Bundle, sheet: Sheet, scan: Scan) -> None:
    _put_declared(bundle, sheet)
    system = next((t for t in bundle.texts if t.role == "system"), None)
    if system is None:
        sheet.problem("system_missing", "the bundle has no system prompt", "/document/system")
    else:
        sheet.facts["system"] = {
            "length": len(system.text),
            "text_digest": sha256_hex(system.text.encode()),
            "text": scan.clean(system.text),
        }
        sheet.origins["/system"] = system.pointer
        for key in ("length", "text_digest", "text"):
            sheet.origins[f"/system/{key}"] = system.pointer
        _put_phrases(system, sheet, scan)
    for text in sorted(bundle.texts, key=lambda t: t.role != "system"):
        _put_template(text, sheet)
    variables = sheet.facts["variables"]
    declared, used = variables["declared"], variables["used"]
    variables["undeclared"] = [n for n in used if n not in declared]
    variables["unused"] = [n for n in declared if n not in used]
    for number, name in enumerate(variables["unused"]):
        at = sheet.origins[f"/variables/declared/{declared.index(name)}"]
        sheet.origins[f"/variables/unused/{number}"] = at
    for key in ("undeclared", "in_system", "exposed", "untrusted"):
        for number, name in enumerate(variables[key]):
            origin = (
                sheet.origins.get(f"/variables/used/{used.index(name)}") if name in used else None
            )
            if origin is not None:
                sheet.origins[f"/variables/{key}/{number}"] = origin


def _put_declared(bundle: Bundle, sheet: Sheet) -> None:
    """Variables in any of the usual shapes: names, ``name: required``, ``name: {…}``."""
    config: Mapping[str, Any] = bundle.config.value
    key = next((k for k in ("variables", "input_variables", "inputs") if k in config), "variables")
    declared = config.get(key)
    base = f"/config/{key}"
    sheet.origins["/variables"] = base
    found: list[tuple[str, Any, str]] = []
    if isinstance(declared, Mapping):
        found = [(str(n), v, join(base, n)) for n, v in declared.items()]
    elif isinstance(declared, list):
        for index, item in enumerate(declared):
            at = f"{base}/{index}"
            if isinstance(item, str):
                found.append((item, None, at))
            elif isinstance(item, Mapping) and isinstance(item.get("name"), str):
                found.append((item["name"], item, at))
            elif isinstance(item, Mapping) and len(item) == 1:
                found.extend((str(n), v, join(at, n)) for n, v in item.items())
            else:
                sheet.problem("field_type", "a variable has no name", "/document" + at)
    elif declared is not None:
        sheet.problem("field_type", f"{key} is not a list", "/document" + base)
    variables = sheet.facts["variables"]
    for name, said, at in found:
        if name in variables["declared"]:
            sheet.problem("variable_twice", f"{name[:60]} is declared twice", "/document" + at)
            continue
        sheet.origins[f"/variables/declared/{len(variables['declared'])}"] = at
        variables["declared"].append(name)
        if said == "required" or (isinstance(said, Mapping) and said.get("required") is True):
            variables["required"].append(name)
        if _trust(name, said) is False:
            variables["untrusted"].append(name)


def _trust(name: str, said: Any) -> bool:
    """Whether a variable's content is trusted: what its declaration says, else its name."""
    if isinstance(said, Mapping):
        if isinstance(said.get("untrusted"), bool):
            return not said["untrusted"]
        if isinstance(said.get("trusted"), bool):
            return bool(said["trusted"])
        for key in ("source", "trust"):
            if isinstance(said.get(key), str):
                words = ("user", "untrusted", "retriev", "tool", "web", "external", "customer")
                return not any(w in said[key].lower() for w in words)
    return not sounds_untrusted(name)


def _put_template(text: Text, sheet: Sheet) -> None:
    template = read_template(text.text)
    variables = sheet.facts["variables"]
    if template.truncated:
        message = f"{text.path} uses too many variables; the rest is not looked at"
        sheet.problem("template_too_long", message, f"/document{text.pointer}")
    names = list(dict.fromkeys(u.variable for u in template.uses))
    sheet.add(
        "messages",
        {"role": text.role, "length": len(text.text), "variables": names},
        text.pointer,
    )
    for use in template.uses:
        place = text.position(use.offset, use.length)
        if use.variable not in variables["declared"] and sounds_untrusted(use.variable):
            _once(variables["untrusted"], use.variable)
        untrusted = use.variable in variables["untrusted"]
        entry = {
            "variable": use.variable,
            "role": text.role,
            "delimited": bool(use.delimiter),
            "untrusted": untrusted,
            "file": text.path,
            "line": place.line,
        }
        if use.delimiter:
            entry["delimiter"] = use.delimiter
        sheet.add("placements", entry, place)
        if use.variable not in variables["used"]:
            sheet.origins[f"/variables/used/{len(variables['used'])}"] = place
            variables["used"].append(use.variable)
        if text.role == "system":
            _once(variables["in_system"], use.variable)
            if untrusted and not use.delimiter:
                _once(variables["exposed"], use.variable)
    for include in template.includes:
        place = text.position(include.offset, include.length)
        entry = {"target": include.target, "file": text.path, "line": place.line}
        sheet.add("includes", entry, place)


def _once(items: list[str], item: str) -> None:
    if item not in items:
        items.append(item)


def _put_phrases(system: Text, sheet: Sheet, scan: Scan) -> None:
    """What the system prompt says about disclosure and about who may do what."""
    disclosed = _DISCLOSES.search(system.text)
    if disclosed:
        sheet.facts["disclosure"] |= {"present": True, "in_system": True}
        place = system.position(disclosed.start(), len(disclosed[0]))
        sheet.origins["/disclosure/in_system"] = place
        sheet.origins.setdefault("/disclosure", place)
    for match in _AUTHORITY.finditer(system.text):
        place = system.position(match.start(), len(match[0]))
        text = scan.clean(match[0])[:160]
        entry = {"text": text, "file": system.path, "line": place.line}
        sheet.add("authority", entry, place)


# --- the document -----------------------------------------------------------------------------


def _document(bundle: Bundle, scan: Scan) -> dict[str, Any]:
    texts = {t.pointer: scan.clean(t.text) for t in bundle.texts}
    return {
        "config": bundle.config.value,
        "system": texts.get("/system"),
        "templates": {
            t.role: texts[t.pointer] for t in bundle.texts if t.pointer.startswith("/templates/")
        },
        "examples": None if bundle.examples is None else bundle.examples.value,
        "tests": None if bundle.tests is None else bundle.tests.value,
    }


def _sources(bundle: Bundle) -> dict[str, LineIndex]:
    """The texts of the bundle, the configuration first."""
    config = bundle.config.parsed.lines
    others = (LineIndex(m.source.shown, m.text) for m in bundle.members if m.text is not None)
    return {config.file: config} | {o.file: o for o in others if o.file != config.file}


class _Places:
    """Finds pointers of the document made by :func:`_document`."""

    def __init__(self, bundle: Bundle) -> None:
        self._parts: dict[str, Part | None] = {
            "config": bundle.config,
            "examples": bundle.examples,
            "tests": bundle.tests,
        }
        self._texts = {t.pointer: t for t in bundle.texts}

    def __call__(self, pointer: str) -> Position | None:
        text = self._texts.get(pointer)
        if text is not None and not pointer.startswith("/config"):
            return text.lines.position(text.base)
        head, *rest = split(pointer) or [""]
        part = self._parts.get(head)
        return part.locate(join("", *rest)) if part is not None else None
