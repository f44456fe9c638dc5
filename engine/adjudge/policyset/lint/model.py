"""What linting reads and gives: the policies with their compiled rules, and findings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from adjudge.policyset.lint.catalogue import RULES, Severity
from adjudge.policyset.model import PolicySet, RuleSpec
from adjudge.rego.analysis.origins import Origins, Steps, aliases
from adjudge.rego.passes.model import Clause, Compilation, Group, Path
from adjudge.rego.syntax import Module
from adjudge.source import Location
from adjudge.yamlpolicy import PACKAGE


@dataclass(frozen=True, slots=True)
class Finding:
    """Something doubtful: ``message`` says what, ``hint`` what to do about it, and ``source``
    is the line it stands on."""

    code: str
    severity: Severity
    message: str
    location: Location | None
    hint: str | None = None
    source: str | None = None

    @property
    def order(self) -> tuple[Any, ...]:
        """Findings are shown by file, line and column."""
        return (*(self.location or ("", 0, 0)), self.code, self.message)


@dataclass(frozen=True)
class Subject:
    """The policies that are linted.

    ``comp`` is compiled of ``modules`` and ``tests``.  ``specs`` are the rules that the gate
    asks.  ``now_ns`` is the time that dates are compared with.
    """

    policies: PolicySet
    tests: Sequence[Module]
    comp: Compilation
    now_ns: int
    _origins: dict[int, Origins] = field(default_factory=dict, repr=False)
    _lines: dict[str, list[str]] = field(default_factory=dict, repr=False)

    @property
    def modules(self) -> Sequence[Module]:
        """The policies; tests are not among them."""
        return self.policies.modules

    @property
    def specs(self) -> Sequence[RuleSpec]:
        """The rules that make findings."""
        return self.policies.rules

    @cached_property
    def entries(self) -> dict[Location, RuleSpec]:
        """The rules that make findings, by where they stand."""
        return {spec.location: spec for spec in self.specs}

    @cached_property
    def by_file(self) -> Mapping[str, Module]:
        """Every module, tests too."""
        return {m.file: m for m in (*self.modules, *self.tests)}

    @cached_property
    def test_files(self) -> frozenset[str]:
        return frozenset(m.file for m in self.tests)

    @cached_property
    def aliases(self) -> dict[Path, Steps]:
        """The rules that are nothing but a part of the input."""
        return aliases(self.comp.groups.values())

    def is_test(self, group: Group) -> bool:
        """Whether a rule is a test, or stands among tests."""
        if group.first.rule.loc.file in self.test_files:
            return True
        return any(str(step).startswith(("test_", "todo_test_")) for step in group.path)

    def clauses(self, *, tests: bool = False) -> Iterator[tuple[Group, Clause]]:
        """Every clause of the policies; with ``tests`` those of tests, too."""
        for group in self.comp.groups.values():
            if tests or not self.is_test(group):
                for clause in group.all_clauses():
                    yield group, clause

    def module_of(self, clause: Clause) -> Module:
        """The module a clause stands in."""
        return self.by_file[clause.rule.loc.file]

    def origins(self, clause: Clause) -> Origins:
        """Where the values of a clause come from; found out once."""
        known = self._origins.get(id(clause))
        if known is None:
            known = self._origins[id(clause)] = Origins(clause, self.aliases)
        return known

    def finding(
        self,
        code: str,
        message: str,
        location: Location,
        hint: str | None = None,
        severity: Severity | None = None,
    ) -> Finding:
        """A finding of one of the rules; its severity unless another is given."""
        source = self._line(location)
        return Finding(code, severity or RULES[code].severity, message, location, hint, source)

    def _line(self, location: Location) -> str | None:
        """The line that a location is on; texts are taken apart once."""
        if location.file not in self._lines:
            module = self.by_file.get(location.file)
            self._lines[location.file] = module.source.split("\n") if module is not None else []
        lines = self._lines[location.file]
        return lines[location.row - 1].rstrip("\r") if 0 < location.row <= len(lines) else None


def is_yaml(module: Module) -> bool:
    """Whether a module was made of a YAML policy."""
    return module.package[: len(PACKAGE)] == PACKAGE
