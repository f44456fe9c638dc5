"""The facts of a model card as they are gathered: values with their origins in, facts out.

What is read the same way whatever the card's format is read here: owners, licences, dates,
data sets, base models, and the fields that cards carry beyond their format's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from adjudge.documents.facts import Sheet, date_of, number_of, text_of, texts_of
from adjudge.documents.model import Origin, join

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
_MITIGATION_KEYS: Final = ("mitigation", "mitigation_strategy", "mitigations")


def card_sheet(card_format: str) -> Sheet:
    """An empty card of a format."""
    return Sheet(
        {
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
    )


def mitigation_of(value: Any) -> str:
    """The mitigations that stand with the items of a list of risks."""
    found: list[str] = []
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, Mapping):
            found.extend(text_of(item[k]) for k in _MITIGATION_KEYS if k in item)
    return "\n".join(t for t in found if t)


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
