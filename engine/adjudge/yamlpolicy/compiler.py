"""Compiles a YAML policy: its text in, a Rego syntax tree and metadata out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from adjudge.documents.model import Limits, Parsed
from adjudge.documents.reading import read_yaml
from adjudge.rego.errors import RegoErrors
from adjudge.rego.syntax import Annotations, Head, Module, Rule, Var
from adjudge.yamlpolicy.conditions import Conditions, Frame
from adjudge.yamlpolicy.findings import Findings
from adjudge.yamlpolicy.helpers import APPLICABLE, KEYWORDS, Helpers
from adjudge.yamlpolicy.library import functions_used
from adjudge.yamlpolicy.model import DataPath, PolicyMetadata, PolicyModule
from adjudge.yamlpolicy.moments import is_timestamp
from adjudge.yamlpolicy.paths import Paths
from adjudge.yamlpolicy.problems import Problems, choices, close_match, shown
from adjudge.yamlpolicy.scope import RELEASE, RUNTIME, Scope, kinds, scope_for
from adjudge.yamlpolicy.shapes import ANY, Schema
from adjudge.yamlpolicy.structure import check_structure

PACKAGE: Final = ("adjudge", "yaml")
"""YAML policies live in ``adjudge.yaml.<id>``."""

LIMITS: Final = Limits(max_yaml_bytes=1024 * 1024, max_yaml_nodes=50_000, max_depth=40)
"""How large a policy may be (characters, values) and how deep mappings and lists nest."""


def compile_policy(text: str, file: str, schemas: Mapping[str, Schema]) -> PolicyModule:
    """The Rego module a YAML policy means.

    ``file`` is the name shown in messages.  ``schemas`` maps each artifact kind to the JSON
    Schema of its facts; the names ``release``, ``git`` and ``context`` may be given to
    describe those parts of the input.

    Raises ``InputError`` when the text is not strict YAML (``yaml_*``), else ``RegoErrors``
    with every error found (``yaml_policy_*``).
    """
    parsed = read_yaml(text, file, LIMITS)
    problems = Problems(text, file, parsed)
    wrong = check_structure(parsed.value, problems)
    compiled = None
    if isinstance(parsed.value, dict) and not problems.full:
        compiled = _Compiler(text, file, parsed, problems, wrong, schemas).compile()
    if problems.errors or compiled is None:
        raise RegoErrors(problems.errors)
    return compiled


def package_name(policy_id: str) -> str:
    """The last name of the package of a policy: its id in lower case, ``_`` for the rest.

    ``MC-05`` becomes ``mc_05``; a word of Rego gets ``_`` appended.
    """
    name = "".join(c if c.isalnum() else "_" for c in policy_id.lower())
    return f"{name}_" if name in KEYWORDS else name


class _Compiler:
    """One compilation."""

    def __init__(
        self,
        text: str,
        file: str,
        parsed: Parsed,
        problems: Problems,
        wrong: set[str],
        schemas: Mapping[str, Schema],
    ) -> None:
        self.text = text
        self.file = file
        self.policy: dict[str, Any] = parsed.value
        self.problems = problems
        self.wrong = wrong
        self.scope = self._scope(schemas)
        names = _loop_names(self.policy)
        self.paths = Paths(self.scope, problems)
        self.helpers = Helpers(names)
        self.conditions = Conditions(
            text.split("\n"), problems, self.paths, self.helpers, wrong, names
        )

    def compile(self) -> PolicyModule | None:
        """The compiled policy; None after reporting errors."""
        self._check_effective_from()
        rules = self._rules()
        self.conditions.warn_about_missing()
        if self.problems.errors:
            return None
        metadata = self._metadata()
        annotations = [self._annotations(metadata), *(a for r in rules for a in r.annotations)]
        top = self.problems.location("")
        module = Module(
            package=(*PACKAGE, package_name(metadata.id)),
            imports=(),
            rules=(*rules, *functions_used(rules, top)),
            annotations=tuple(annotations),
            file=self.file,
            source=self.text,
            package_loc=self.problems.location("/metadata"),
        )
        data = tuple(DataPath(steps, loc) for steps, loc in self.paths.data.items())
        conditional = "when" in self.policy
        return PolicyModule(module, metadata, conditional, data, tuple(self.problems.warnings))

    # -- scope -----------------------------------------------------------------------------

    def _scope(self, schemas: Mapping[str, Schema]) -> Scope:
        """The scope of the policy; one that allows everything after reporting an error."""
        applies_to = self.policy.get("applies_to", RELEASE)
        misspelt = "applies_to" not in self.policy and "" in self.wrong
        if misspelt or not isinstance(applies_to, str):
            return Scope("this kind", ANY)
        scope = scope_for(applies_to, schemas)
        if scope is not None:
            return scope
        known = [RELEASE, RUNTIME, *kinds(schemas)]
        near = close_match(applies_to, known)
        self.problems.add(
            "kind",
            f"there is no kind {shown(applies_to)}",
            "/applies_to",
            f"did you mean {near}?" if near else f"one of {choices(known, 40)}",
        )
        return Scope(applies_to, ANY)

    # -- rules -----------------------------------------------------------------------------

    def _rules(self) -> list[Rule]:
        rules: list[Rule] = []
        if "when" in self.policy:
            rules += self._applicable()
        findings = Findings(self.conditions, "when" in self.policy)
        for name in ("deny", "warn"):
            entries = self.policy.get(name, ())
            for i, entry in enumerate(entries if isinstance(entries, list) else ()):
                pointer = f"/{name}/{i}"
                if self._entry_is_whole(pointer):
                    rule = findings.lower(name, entry, pointer)
                    rules += [rule, *self.helpers.take(rule)]
        return rules

    def _applicable(self) -> list[Rule]:
        loc = self.problems.location("/when")
        lowered = self.conditions.lower(self.policy["when"], "/when", Frame({}, binding=False))
        head = Head(Var(APPLICABLE, loc), loc=loc)
        rule = Rule(head, lowered.body, loc=loc, end_row=loc.row)
        return [rule, *self.helpers.take(rule)]

    def _entry_is_whole(self, pointer: str) -> bool:
        """Whether the entry's own parts are right; its condition is looked at apart."""
        parts = (pointer, *(f"{pointer}/{k}" for k in ("message", "pointer", "remediation")))
        return not any(p in self.wrong for p in (*parts, f"{pointer}/severity"))

    # -- metadata --------------------------------------------------------------------------

    def _check_effective_from(self) -> None:
        metadata = self.policy.get("metadata")
        value = metadata.get("effective_from") if isinstance(metadata, dict) else None
        if isinstance(value, str) and not is_timestamp(value):
            self.problems.add(
                "time",
                f"{shown(value)} is not a date",
                "/metadata/effective_from",
                "write 2026-01-31 or 2026-01-31T12:00:00Z",
            )

    def _metadata(self) -> PolicyMetadata:
        given: dict[str, Any] = dict(self.policy["metadata"])
        lists: dict[str, Any] = {k: tuple(given.pop(k, ())) for k in ("controls", "links")}
        return PolicyMetadata(**given, **lists, applies_to=self.policy.get("applies_to", RELEASE))

    def _annotations(self, metadata: PolicyMetadata) -> Annotations:
        """The metadata as the ``# METADATA`` block of the package."""
        given = self.policy["metadata"]
        fields: dict[str, Any] = {"scope": "package"}
        fields |= {k: given[k] for k in ("title", "description") if k in given}
        if metadata.links:
            fields["related_resources"] = [{"ref": link} for link in metadata.links]
        custom = {k: v for k, v in given.items() if k not in ("title", "description", "links")}
        fields["custom"] = {**custom, "applies_to": metadata.applies_to}
        loc = self.problems.location("/metadata")
        return Annotations(fields, "package", loc, loc.row)


def _loop_names(policy: Any) -> set[str]:
    """Every name that a loop anywhere in the policy declares."""
    names: set[str] = set()
    stack = [policy]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            stack.extend(node.values())
            loop = node.get("for_each")
            if isinstance(loop, dict):
                names |= {v for k in ("as", "index") if isinstance(v := loop.get(k), str)}
        elif isinstance(node, list):
            stack.extend(node)
    return names
