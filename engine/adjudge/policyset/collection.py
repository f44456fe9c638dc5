"""Collections: a file that names rules in, the rules it chooses with their severity out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources
from typing import Any

from adjudge.documents.model import join
from adjudge.documents.reading import read_yaml
from adjudge.errors import ErrorList
from adjudge.policyset.model import RuleSpec, Severity
from adjudge.policyset.structure import Structure, suggestion

_PACK = "pack:"


@cache
def collection_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of collection files; not to be changed by the caller."""
    text = resources.files(__package__).joinpath("schema/collection-v1.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


@dataclass(frozen=True)
class Collection:
    """A named choice of rules.

    ``include`` and ``exclude`` hold rule ids, patterns with ``*`` and ``?``, names of packs,
    and the same with ``pack:`` before it.  ``structure`` takes what turns out to be wrong.
    """

    name: str
    title: str
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    severity: dict[str, Severity]
    structure: Structure

    def choose(self, rules: Sequence[RuleSpec]) -> list[RuleSpec]:
        """The rules that the collection includes, with its severities.

        Raises ErrorList with ``collection_no_match`` for every selector that no rule fits: it
        is a misspelling, or the rule is gone.
        """
        chosen = self._matching("include", self.include, rules)
        chosen -= self._matching("exclude", self.exclude, rules)
        levels = dict.fromkeys(range(len(rules)), None) | self._levels(rules)
        if self.structure.errors:
            raise ErrorList(self.structure.errors)
        found = []
        for index, rule in enumerate(rules):
            if index in chosen:
                level = levels[index]
                found.append(rule if level is None else replace(rule, severity=level))
        return found

    def _matching(self, name: str, selectors: Sequence[str], rules: Sequence[RuleSpec]) -> set[int]:
        """The indexes of the rules that any of the selectors fits."""
        found: set[int] = set()
        for position, selector in enumerate(selectors):
            fitting = {i for i, rule in enumerate(rules) if _fits(selector, rule)}
            if not fitting:
                self._no_match(selector, f"/{name}/{position}", rules)
            found |= fitting
        return found

    def _levels(self, rules: Sequence[RuleSpec]) -> dict[int, Severity]:
        """The severity each rule is given; what is named later counts."""
        found: dict[int, Severity] = {}
        for selector, level in self.severity.items():
            fitting = [i for i, rule in enumerate(rules) if _fits(selector, rule)]
            if not fitting:
                self._no_match(selector, join("/severity", selector), rules)
            found.update(dict.fromkeys(fitting, level))
        return found

    def _no_match(self, selector: str, pointer: str, rules: Iterable[RuleSpec]) -> None:
        known = {rule.id for rule in rules} | {rule.pack for rule in rules}
        hint = suggestion(selector.removeprefix(_PACK), known)
        self.structure.add("no_match", f"no rule fits {selector}", pointer, hint)


def parse_collection(text: str, file: str) -> Collection:
    """The collection in a YAML text.

    Raises InputError ``yaml_*``, or ErrorList with every ``collection_*`` error.
    """
    structure = Structure(read_yaml(text, file), file, "collection")
    structure.check(collection_schema())
    if structure.errors:
        raise ErrorList(structure.errors)
    value = structure.parsed.value
    return Collection(
        name=value["metadata"]["name"],
        title=value["metadata"]["title"],
        include=tuple(value["include"]),
        exclude=tuple(value.get("exclude", ())),
        severity=value.get("severity", {}),
        structure=structure,
    )


def _fits(selector: str, rule: RuleSpec) -> bool:
    if selector.startswith(_PACK):
        return fnmatchcase(rule.pack, selector.removeprefix(_PACK))
    return selector == rule.pack or fnmatchcase(rule.id, selector)
