"""What a card says in prose: sections and labelled entries in, facts out.

A heading or a bold label that announces a fact (see ``model_card_topics``) gives its text
to it.  Sections without a topic of their own belong to the one above them.  Front matter
is read first and wins.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Final, NamedTuple, TypeAlias

from adjudge.documents.facts import Sheet, date_of
from adjudge.documents.model import Position
from adjudge.documents.model_card_facts import put_license, spdx_of
from adjudge.documents.model_card_text import (
    Label,
    Section,
    labels_of,
    placeholders_in,
    placeholders_of,
    plain,
)
from adjudge.documents.model_card_topics import CELL_TOPICS, topics_of

_PROSE: Final = (
    "intended_use",
    "out_of_scope",
    "limitations",
    "risks",
    "ethical",
    "mitigations",
    "oversight",
    "users",
    "training.data",
    "training.procedure",
    "training.date",
    "evaluation",
    "environmental.text",
    "input_format",
    "output_interpretation",
    "maintenance.text",
    "overview",
    "architecture",
)
_SHORT: Final = 2000
"""Characters looked at where a number, an address or a name is searched for."""

_MAX_LABELS: Final = 5000

_CARD_TITLE: Final = re.compile(r"\Amodel card\b(?: for\b)?[ :–—-]*|[ :–—-]*\bmodel card\Z", re.I)
_ADDRESS: Final = re.compile(
    r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}|https?://[^\s()<>\"']+"
)
_LINK_TARGET: Final = re.compile(r"\]\((https?://[^\s()<>\"']+)\)")
_URL: Final = re.compile(r"(https?://[^\s()<>\[\]\"']+)")
_UNITS: Final = {"g": 0.001, "gram": 0.001, "kg": 1.0, "kilogram": 1.0, "t": 1000.0}
_EMISSIONS: Final = re.compile(
    r"([0-9][0-9,]*(?:\.[0-9]+)?)\s*(metric tons?|tonnes?|tons?|kilograms?|kg|grams?|g|t)\b"
    r"|([0-9][0-9,]*(?:\.[0-9]+)?)\s*(t|kg|g)\s?CO2",
    re.IGNORECASE,
)
_ENERGY: Final = re.compile(r"([0-9][0-9,]*(?:\.[0-9]+)?)\s*([kMG])Wh\b")
_ENERGY_UNITS: Final = {"k": 1.0, "M": 1e3, "G": 1e6}
_NUMBER: Final = re.compile(r"[0-9][0-9,]*(?:\.[0-9]+)?")
_ACCELERATOR: Final = re.compile(
    r"\b(?:A100|A10G?|H100|H200|B200|GB200|V100|P100|K80|T4|L4|L40S?|MI[23][0-9]{2}X?"
    r"|TPU ?v[2-9]\w{0,2}|RTX ?[0-9]{4})(?:-[0-9A-Za-z]+)?\b"
)
_BETWEEN_LANGUAGES: Final = re.compile(r"\s*(?:,|;|\band\b|\n)\s*")


class _Found(NamedTuple):
    """Text about a fact, and the line that announces it."""

    text: str
    line: int


_Labels: TypeAlias = list[tuple[Section, Label, frozenset[str]]]
_About: TypeAlias = Callable[[str], list[_Found]]


def put_prose(sheet: Sheet, sections: list[Section], file: str) -> None:
    """Read the body of a Markdown card into ``sheet``; ``file`` is its name in positions."""
    _put_name(sheet, sections, file)
    _assign_topics(sections)
    labels = ((section, label) for section in sections for label in labels_of(section))
    by_label = _label_topics(islice(labels, _MAX_LABELS))
    if next(labels, None) is not None:
        sheet.problem(
            "too_many_labels", f"only the first {_MAX_LABELS} labelled entries are read", ""
        )
    foreign = _foreign_lines(by_label)
    for fact in _PROSE:
        pieces = _from_sections(fact, sections, foreign) or _from_labels(fact, by_label)
        text = "\n\n".join(p.text for p in pieces)
        if text:
            sheet.put(fact, text, Position(file, pieces[0].line, 1))
    _put_short(sheet, sections, by_label, file)
    _put_sections(sheet, sections, file)


def _put_name(sheet: Sheet, sections: list[Section], file: str) -> None:
    title = next((s for s in sections if s.level == 1), None)
    if title is None or topics_of(title.title) or placeholders_in(title.title):
        return
    name = _CARD_TITLE.sub("", title.title).strip()
    sheet.put("name", name, Position(file, title.line, 1))


def _assign_topics(sections: list[Section]) -> None:
    """Give each section its topics: its title's, or else those of the section above it."""
    above: list[tuple[int, frozenset[str]]] = []
    titled = False
    for section in sections:
        while above and above[-1][0] >= section.level:
            above.pop()
        own = topics_of(section.title)
        if own or section.level == 0:
            section.topics = own or frozenset({"overview"})
        elif section.level == 1 and not titled:
            section.topics = frozenset({"overview"})
        elif above:
            section.topics = above[-1][1]
        titled = titled or section.level == 1
        above.append((section.level, own or (above[-1][1] if above else frozenset())))


def _label_topics(
    labels: Iterable[tuple[Section, Label]],
) -> _Labels:
    found = []
    for section, label in labels:
        topics = topics_of(label.label)
        if label.cell:
            topics &= CELL_TOPICS
        if topics:
            found.append((section, label, topics))
    return found


def _foreign_lines(labels: _Labels) -> set[int]:
    """The lines of labelled entries about something else than the section they stand in."""
    return {
        number
        for section, label, topics in labels
        if not label.cell and not topics & {*section.topics, "overview"}
        for number in range(label.first, label.last + 1)
    }


def _from_sections(fact: str, sections: list[Section], foreign: set[int]) -> list[_Found]:
    """The texts of the sections about ``fact``, without the ``foreign`` lines."""
    found = []
    for section in sections:
        if fact not in section.topics:
            continue
        kept = (line.text for line in section.lines if line.number not in foreign)
        text = "\n".join(kept).strip()
        if text:
            found.append(_Found(text, section.line))
    return found


def _from_labels(fact: str, labels: _Labels) -> list[_Found]:
    """The texts of the labelled entries about ``fact``; cells only when there are no others."""
    matching = [label for _, label, topics in labels if fact in topics and label.text]
    entries = [label for label in matching if not label.cell] or matching[:1]
    return [_Found(label.text, label.first) for label in entries]


def _put_short(sheet: Sheet, sections: list[Section], labels: _Labels, file: str) -> None:
    """Facts that are a name, a number or an address rather than prose."""

    def about(fact: str) -> list[_Found]:
        found = _from_labels(fact, labels) or [
            _Found(s.text, s.line) for s in sections if fact in topics_of(s.title) and s.text
        ]
        return [f for f in found if not placeholders_in(f.text[:_SHORT])]

    for fact in ("version", "risk_tier", "environmental.region"):
        for text, line in about(fact):
            sheet.put(fact, plain(text[:_SHORT]), Position(file, line, 1))
    for fact in ("review_date", "maintenance.support_until"):
        for text, line in about(fact):
            sheet.put(fact, date_of(plain(text[:_SHORT])), Position(file, line, 1))
    if not sheet.facts["owners"]:
        for text, line in about("owners"):
            names = (plain(t) for t in text[:_SHORT].split("\n"))
            for name in names:
                if name and name not in sheet.facts["owners"]:
                    sheet.add("owners", name, Position(file, line, 1))
    for text, line in about("contact"):
        address = _ADDRESS.search(text[:_SHORT])
        value = address[0].rstrip(".,;") if address else plain(text[:_SHORT])
        sheet.put("contact", value, Position(file, line, 1))
    _put_license_text(sheet, about("license"), file)
    if not sheet.facts["language"]:
        for text, line in about("language"):
            for name in _BETWEEN_LANGUAGES.split(plain(text[:_SHORT])):
                if name:
                    sheet.add("language", name.rstrip("."), Position(file, line, 1))
    if not sheet.facts["base_models"]:
        for text, line in about("base_models"):
            name = plain(text[:_SHORT]).split("\n")[0]
            sheet.add("base_models", {"name": name}, Position(file, line, 1))
    _put_compute(sheet, about, file)


def _put_license_text(sheet: Sheet, found: list[_Found], file: str) -> None:
    known = sheet.facts["license"]
    if not found or known["ids"] or "name" in known:
        return
    text, place = found[0].text[:_SHORT], Position(file, found[0].line, 1)
    name = plain(text).split("\n")[0].strip()
    if spdx_of(name.rstrip(".")):
        put_license(sheet, [name.rstrip(".")], place)
    else:
        sheet.put("license.name", name[:200], place)
    url = _LINK_TARGET.search(text) or _URL.search(text)
    if url:
        sheet.put("license.link", url[1].rstrip(".,;"), place)


def _put_compute(sheet: Sheet, about: _About, file: str) -> None:
    for text, line in about("environmental.co2_kg"):
        emitted = _EMISSIONS.search(plain(text[:_SHORT]))
        if emitted:
            amount, unit = emitted[1] or emitted[3], emitted[2] or emitted[4]
            factor = _UNITS.get(unit.lower().rstrip("s"), 1000.0)
            sheet.put("environmental.co2_kg", _amount(amount) * factor, Position(file, line, 1))
    for text, line in about("environmental.energy_kwh"):
        energy = _ENERGY.search(plain(text[:_SHORT]))
        if energy:
            value = _amount(energy[1]) * _ENERGY_UNITS[energy[2]]
            sheet.put("environmental.energy_kwh", value, Position(file, line, 1))
    for text, line in about("environmental.hours"):
        number = _NUMBER.match(plain(text[:_SHORT]))
        if number:
            sheet.put("environmental.hours", _amount(number[0]), Position(file, line, 1))
    for text, line in about("environmental.hardware"):
        sheet.put("environmental.hardware", plain(text[:_SHORT]), Position(file, line, 1))
    compute = sheet.facts["environmental"].get("text", "")
    named = _ACCELERATOR.search(compute)
    if named:
        origin = sheet.origins["/environmental/text"]
        sheet.put("environmental.hardware", named[0], origin)


def _amount(text: str) -> float:
    return float(text.replace(",", "")[:30])


def _put_sections(sheet: Sheet, sections: list[Section], file: str) -> None:
    for section in sections:
        place = Position(file, section.line, 1)
        holes = placeholders_of(section.lines)
        in_title = placeholders_in(section.title)
        for text, line in [*((t, section.line) for t in in_title), *holes]:
            entry = {"text": text, "line": line, "section": section.shown_path}
            sheet.add("placeholders", entry, Position(file, line, 1))
        if section.level == 0 and not section.text:
            continue
        sheet.add(
            "sections",
            {
                "title": section.title,
                "path": section.shown_path,
                "level": section.level,
                "line": section.line,
                "length": len(section.text),
                "placeholder": bool(holes),
                "topics": sorted(section.topics),
            },
            place,
        )
