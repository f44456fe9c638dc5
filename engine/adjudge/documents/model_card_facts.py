"""The facts of a model card as they are gathered: values with their origins in, facts out.

What is read the same way whatever the card's format is read here: owners, licences, dates,
data sets, base models, and the fields that cards carry beyond their format's own.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from adjudge.documents.model import Origin, Problem, join

# Licence ids Hugging Face uses, in the spelling of SPDX; the two differ in case only.
_SPDX_IDS: Final = """
AFL-3.0 AGPL-3.0 AGPL-3.0-only AGPL-3.0-or-later Apache-2.0 Artistic-2.0 BSD-2-Clause
BSD-3-Clause BSD-3-Clause-Clear BSL-1.0 CC-BY-2.0 CC-BY-2.5 CC-BY-3.0 CC-BY-4.0 CC-BY-NC-2.0
CC-BY-NC-3.0 CC-BY-NC-4.0 CC-BY-NC-ND-3.0 CC-BY-NC-ND-4.0 CC-BY-NC-SA-2.0 CC-BY-NC-SA-3.0
CC-BY-NC-SA-4.0 CC-BY-ND-4.0 CC-BY-SA-3.0 CC-BY-SA-4.0 CC0-1.0 CDLA-Permissive-1.0
CDLA-Permissive-2.0 CDLA-Sharing-1.0 ECL-2.0 EPL-1.0 EPL-2.0 EUPL-1.1 EUPL-1.2 GFDL-1.3
GPL-2.0 GPL-2.0-only GPL-2.0-or-later GPL-3.0 GPL-3.0-only GPL-3.0-or-later ISC LGPL-2.1
LGPL-3.0 LGPL-3.0-only LGPL-3.0-or-later LPPL-1.3c MIT MPL-2.0 MS-PL NCSA ODbL-1.0 OFL-1.1
OSL-3.0 PostgreSQL Python-2.0 Unlicense WTFPL Zlib
"""
_SPDX: Final = {spdx.lower(): spdx for spdx in _SPDX_IDS.split()} | {
    "odbl": "ODbL-1.0",
    "pddl": "PDDL-1.0",
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "mit license": "MIT",
    "gfdl": "GFDL-1.3",
    "lgpl-lr": "LGPLLR",
}

# Fact, and the keys of front matter (or of a JSON card's top level) that state it in prose.
PROSE_KEYS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("overview", ("description", "overview", "summary")),
    ("intended_use", ("intended_use", "intended_uses", "intended_purpose", "purpose")),
    ("out_of_scope", ("out_of_scope", "out_of_scope_use", "out_of_scope_uses", "misuse")),
    ("users", ("users", "intended_users")),
    ("limitations", ("limitations", "known_limitations")),
    ("risks", ("risks", "known_risks", "bias_risks")),
    ("ethical", ("ethical", "ethical_considerations")),
    ("mitigations", ("mitigations", "recommendations")),
    ("oversight", ("oversight", "human_oversight")),
    ("input_format", ("input_format", "input_specification")),
    ("output_interpretation", ("output_interpretation", "output_format")),
    ("training.data", ("training_data",)),
    ("training.procedure", ("training_procedure",)),
    ("training.date", ("release_date",)),
    ("evaluation", ("evaluation",)),
    ("maintenance.text", ("maintenance",)),
    ("risk_tier", ("risk_tier",)),
)
_OWNER_KEYS: Final = (
    "owners",
    "owner",
    "provider",
    "developers",
    "developed_by",
    "authors",
    "organization",
)
_DATE_KEYS: Final = (
    ("review_date", ("review_date", "last_reviewed", "reviewed")),
    ("maintenance.support_until", ("support_until", "supported_until", "end_of_support")),
)
_TEXT_KEYS: Final = ("text", "description", "name", "risk", "limitation", "title", "value")
_MITIGATION_KEYS: Final = ("mitigation", "mitigation_strategy", "mitigations")
_DATE: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ][0-9:.]+(?:Z|[+-][0-9:]+)?)?\Z")
_MAX_ITEMS: Final = 1000


class Sheet:
    """Facts with their origins.  Keys with a dot stand in an object: ``training.data``."""

    def __init__(self, card_format: str) -> None:
        self.facts: dict[str, Any] = {
            "format": card_format,
            "front_matter": False,
            "owners": [],
            "license": {"ids": []},
            "language": [],
            "tags": [],
            "use_case_tags": [],
            "datasets": [],
            "declared_metrics": [],
            "metrics": [],
            "base_models": [],
            "training": {},
            "environmental": {},
            "maintenance": {},
            "sections": [],
            "placeholders": [],
        }
        self.origins: dict[str, Origin] = {}
        self.problems: list[Problem] = []

    def has(self, key: str) -> bool:
        """Whether the fact is known already."""
        outer, _, inner = key.partition(".")
        value = self.facts.get(outer)
        return inner in value if inner and value is not None else bool(value)

    def put(self, key: str, value: Any, origin: Origin) -> None:
        """State a fact that was not known before; the first statement wins."""
        if value in (None, "", []) or self.has(key):
            return
        outer, _, inner = key.partition(".")
        if inner:
            self.facts[outer][inner] = value
        else:
            self.facts[outer] = value
        self.origins["/" + key.replace(".", "/")] = origin

    def add(self, key: str, item: Any, origin: Origin) -> None:
        """Append to a list fact; what is over a thousand items is dropped with a problem."""
        items: list[Any] = self.facts[key]
        if len(items) >= _MAX_ITEMS:
            self.problem("card_too_long", f"more than {_MAX_ITEMS} {key}", f"/facts/{key}")
            return
        self.origins.setdefault(f"/{key}", origin)
        self.origins[f"/{key}/{len(items)}"] = origin
        items.append(item)

    def problem(self, code: str, message: str, pointer: str, *, warning: bool = False) -> None:
        """Note something wrong, once."""
        found = Problem(code, message, pointer, "warning" if warning else "error")
        if found not in self.problems:
            self.problems.append(found)


# --- values -----------------------------------------------------------------------------------


def text_of(value: Any) -> str:
    """A field's value as prose: texts as they are, lists line by line, objects by their text."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, (int, float)):
        return json.dumps(value)
    if isinstance(value, list):
        return "\n".join(t for t in (text_of(v) for v in value[:_MAX_ITEMS]) if t)
    if isinstance(value, Mapping):
        for key in _TEXT_KEYS:
            if isinstance(value.get(key), str):
                return str(value[key]).strip()
        pairs = ((str(k), text_of(v)) for k, v in value.items())
        return "\n".join(f"{k}: {t}" for k, t in pairs if t)
    return ""


def texts_of(value: Any) -> list[str]:
    """A field that is a text or a list of texts."""
    items = value if isinstance(value, list) else [value]
    return [t for t in (text_of(v) for v in items[:_MAX_ITEMS]) if t]


def mitigation_of(value: Any) -> str:
    """The mitigations that stand with the items of a list of risks."""
    found: list[str] = []
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, Mapping):
            found.extend(text_of(item[k]) for k in _MITIGATION_KEYS if k in item)
    return "\n".join(t for t in found if t)


def date_of(value: Any) -> str | None:
    """The day of an ISO 8601 date or time; None for anything else."""
    match = _DATE.match(value.strip()) if isinstance(value, str) else None
    if match is None:
        return None
    try:
        return datetime.date.fromisoformat(match[1]).isoformat()
    except ValueError:
        return None


def number_of(value: Any) -> int | float | None:
    """A number that is a number: no booleans, no texts."""
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def spdx_of(text: str) -> str | None:
    """The SPDX spelling of a licence id, when it has one."""
    return _SPDX.get(text.strip().lower())


# --- fields -----------------------------------------------------------------------------------


def put_fields(sheet: Sheet, fields: Mapping[str, Any], base: str) -> None:
    """The fields a card may carry beyond its format's own; ``base`` points at ``fields``."""
    for fact, keys in PROSE_KEYS:
        for key in keys:
            if key in fields:
                sheet.put(fact, text_of(fields[key]), join(base, key))
                if fact in ("risks", "ethical"):
                    sheet.put("mitigations", mitigation_of(fields[key]), join(base, key))
    for fact, keys in _DATE_KEYS:
        for key in keys:
            if key in fields:
                _put_date(sheet, fact, fields[key], join(base, key))
    for key in _OWNER_KEYS:
        if key in fields:
            put_owners(sheet, fields[key], join(base, key))
    for key in ("contact", "contact_email", "contact_url"):
        if key in fields:
            sheet.put("contact", text_of(fields[key]), join(base, key))
    for index, tag in enumerate(texts_of(fields.get("use_case_tags"))):
        sheet.add("use_case_tags", tag, join(base, "use_case_tags", index))
    _put_environmental(sheet, fields, base)


def _put_date(sheet: Sheet, fact: str, value: Any, origin: str) -> None:
    day = date_of(value)
    if day is None:
        sheet.problem(
            "date_format",
            f"{text_of(value)[:40]!r} is not a date (YYYY-MM-DD)",
            "/document" + origin,
        )
    else:
        sheet.put(fact, day, origin)


def put_owners(sheet: Sheet, value: Any, origin: str) -> None:
    """Owners as texts or as objects with ``name`` and ``contact``."""
    items = value if isinstance(value, list) else [value]
    for index, item in enumerate(items):
        at = join(origin, index) if isinstance(value, list) else origin
        if isinstance(item, Mapping):
            name = text_of(item.get("name") or item.get("organization"))
            sheet.put("contact", text_of(item.get("contact") or item.get("email")), at)
        else:
            name = text_of(item)
        if name and name not in sheet.facts["owners"]:
            sheet.add("owners", name, at)


def _put_environmental(sheet: Sheet, fields: Mapping[str, Any], base: str) -> None:
    own = fields.get("environmental")
    if isinstance(own, Mapping):
        for key in ("co2_kg", "energy_kwh", "hours"):
            sheet.put(
                f"environmental.{key}", number_of(own.get(key)), f"{base}/environmental/{key}"
            )
        for key in ("hardware", "region", "source"):
            sheet.put(f"environmental.{key}", text_of(own.get(key)), f"{base}/environmental/{key}")
    for key in ("hardware", "hardware_used"):
        sheet.put("environmental.hardware", text_of(fields.get(key)), join(base, key))
    emissions = fields.get("co2_eq_emissions")
    at = join(base, "co2_eq_emissions")
    if isinstance(emissions, Mapping):
        grams, inner = number_of(emissions.get("emissions")), f"{at}/emissions"
        for fact, key in (
            ("hardware", "hardware_used"),
            ("region", "geographical_location"),
            ("source", "source"),
        ):
            sheet.put(f"environmental.{fact}", text_of(emissions.get(key)), join(at, key))
    else:
        grams, inner = number_of(emissions), at
    if grams is not None:  # Hugging Face states grams
        sheet.put("environmental.co2_kg", grams / 1000, inner)


def put_license(sheet: Sheet, ids: list[str], origin: Origin) -> None:
    """The licence ids a card names."""
    if not ids or sheet.facts["license"]["ids"]:
        return
    known: dict[str, Any] = {"ids": ids}
    if len(ids) == 1:
        known |= {"id": ids[0]} | ({"spdx": s} if (s := spdx_of(ids[0])) else {})
    sheet.facts["license"] = {**sheet.facts["license"], **known}
    sheet.origins["/license"] = origin
    for key in known:
        sheet.origins[f"/license/{key}"] = origin


def put_references(sheet: Sheet, fact: str, value: Any, origin: str) -> None:
    """Data sets or base models: ids (``name`` or ``name@revision``) or objects."""
    items = value if isinstance(value, list) else [] if value is None else [value]
    for index, item in enumerate(items):
        at = join(origin, index) if isinstance(value, list) else origin
        entry = _reference(item, fact)
        if entry is None:
            sheet.problem("field_type", f"an entry of {fact} has no name", "/document" + at)
        else:
            sheet.add(fact, entry, at)


def _reference(item: Any, fact: str) -> dict[str, Any] | None:
    if isinstance(item, str):
        name, _, revision = item.strip().partition("@")
        found: dict[str, Any] = {"name": name, "revision": revision}
    elif isinstance(item, Mapping):
        link = item.get("link") or item.get("url")
        found = {
            "name": text_of(item.get("name") or item.get("id")),
            "revision": text_of(item.get("revision") or item.get("version")),
        }
        if fact == "datasets":
            found |= {"link": text_of(link), "description": text_of(item.get("description"))}
        else:
            found |= {"relation": text_of(item.get("relation"))}
    else:
        return None
    found = {k: v for k, v in found.items() if v}
    return found if "name" in found else None
