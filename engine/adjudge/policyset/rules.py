"""Parsed policies in, one :class:`RuleSpec` for each clause that can make findings out.

A clause counts when its rule is called ``deny``, ``warn`` or ``violation``, or begins with one
of these and an underscore, as conftest has it.  What a clause says of itself comes from its
METADATA: each field from the nearest block that has it, in the order rule, document, package,
subpackages.  An id and a title are not taken from a block for subpackages: it is about more
than one rule.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from adjudge.decision.times import parse_time
from adjudge.errors import AdjudgeError
from adjudge.policyset.model import RELEASE, RUNTIME, RuleKind, RuleSpec
from adjudge.rego.errors import RegoCompileError
from adjudge.rego.parser.annotations import rule_path
from adjudge.rego.passes.metadata import MetadataIndex
from adjudge.rego.syntax import Annotations, Module, Rule
from adjudge.source import Location, line_of
from adjudge.yamlpolicy.problems import choices, close_match, shown

SEVERITIES: Final = ("low", "medium", "high", "critical")

_NAMES: Final[Mapping[str, RuleKind]] = {"deny": "deny", "violation": "deny", "warn": "warn"}
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}\Z")
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_CUSTOM: Final = (
    *("id", "short_name", "severity", "controls", "remediation", "applies_to"),
    *("effective_from", "owner"),
)
_OF_ONE_RULE: Final = ("id", "short_name", "title", "description")


@dataclass(frozen=True)
class PolicySource:
    """A parsed policy and the pack it belongs to."""

    module: Module
    pack: str


class RuleReader:
    """Reads the rules of all modules of a policy set.

    ``kinds`` are the artifact kinds there are.  ``errors`` and ``lints`` are filled.
    """

    def __init__(self, policies: Sequence[PolicySource], kinds: Iterable[str]) -> None:
        self.policies = policies
        self.kinds = {RELEASE, RUNTIME, *kinds}
        self.errors: list[AdjudgeError] = []
        self.lints: list[AdjudgeError] = []
        self._index = MetadataIndex(p.module for p in policies)
        self._texts = {p.module.file: p.module.source for p in policies}
        self._checked: dict[int, dict[str, Any]] = {}

    def read(self) -> list[RuleSpec]:
        """The rules in order of file and line."""
        specs = [
            spec
            for policy in self.policies
            for rule in policy.module.rules
            if (spec := self._spec(policy, rule)) is not None
        ]
        specs = _distinct(specs)
        for spec in specs:
            if not spec.has_id:
                self._lint(
                    "rule_without_id",
                    f"this clause of {spec.name} has no id; it is called {spec.id}",
                    spec.location,
                    "give it one in its METADATA: custom: {id: …}",
                )
        self._check_ids(specs)
        return sorted(specs, key=lambda s: (s.location.file, s.location.row, s.location.col))

    # -- one clause --------------------------------------------------------------------------

    def _spec(self, policy: PolicySource, rule: Rule) -> RuleSpec | None:
        module = policy.module
        path = rule_path(module.package, rule)
        name = path[-1]
        if rule.default or rule.head.args is not None:
            return None
        kind = _NAMES.get(name.partition("_")[0])
        if kind is None:
            self._check_above(path[len(module.package) : -1], rule)
            return None
        fields = self._fields(module, rule)
        package = dotted(module.package)
        given = fields.get("id") or fields.get("short_name")
        own_id = given or f"{package}/{name}:{rule.loc.row}"
        effective = fields.get("effective_from")
        return RuleSpec(
            id=own_id,
            package=package,
            name=name,
            kind=kind,
            title=fields.get("title") or own_id,
            description=fields.get("description", ""),
            severity=fields.get("severity", "medium"),
            controls=fields.get("controls", ()),
            remediation=fields.get("remediation", ""),
            applies_to=fields.get("applies_to", (RELEASE,)),
            effective_from=effective,
            effective_ns=None if effective is None else parse_time(effective),
            location=rule.loc,
            end_row=rule.end_row or rule.loc.row,
            path=path,
            pack=policy.pack,
            owner=fields.get("owner", ""),
            links=fields.get("links", ()),
            has_id=given is not None,
        )

    def _check_above(self, names: tuple[str, ...], rule: Rule) -> None:
        """``deny.x contains message`` reads like a finding and is none."""
        for name in names:
            if name.partition("_")[0] in _NAMES:
                self._lint(
                    "rule_not_counted",
                    f"what stands below {name} is not read as findings",
                    rule.loc,
                    f"write {name}_something contains message if …",
                )

    def _fields(self, module: Module, rule: Rule) -> dict[str, Any]:
        """Every field from the nearest block that has it."""
        chain = [a for _, a in self._index.chain(module, rule) if a is not None]
        # Blocks of one scope stand in order of the text; the last is next to the rule.
        own = [a for a in chain if a.scope == "rule"][::-1]
        fields: dict[str, Any] = {}
        for block in (*own, *(a for a in chain if a.scope != "rule")):
            for name, value in self._checked_fields(block).items():
                if block.scope != "subpackages" or name not in _OF_ONE_RULE:
                    fields.setdefault(name, value)
        return fields

    # -- one block ---------------------------------------------------------------------------

    def _checked_fields(self, annotations: Annotations) -> dict[str, Any]:
        """The fields of a block that are right; the others are reported, once."""
        known = self._checked.get(id(annotations))
        if known is None:
            known = self._checked[id(annotations)] = self._check(annotations)
        return known

    def _check(self, annotations: Annotations) -> dict[str, Any]:
        fields: dict[str, Any] = {
            name: value
            for name in ("title", "description")
            if isinstance(value := annotations.fields.get(name), str) and value
        }
        links = [r["ref"] for r in annotations.fields.get("related_resources", ())]
        if links:
            fields["links"] = tuple(links)
        custom = annotations.fields.get("custom")
        for name, value in (custom or {}).items():
            if name not in _CUSTOM:
                self._check_unknown(annotations, name)
                continue
            checked = self._value(annotations, name, value)
            if checked is not None:
                fields[name] = checked
        return fields

    def _check_unknown(self, annotations: Annotations, name: str) -> None:
        near = close_match(name, _CUSTOM, 0.75)
        if near:
            self._lint(
                "policy_metadata_unknown_key",
                f"custom.{shown(name)} means nothing to adjudge",
                self._place(annotations, name),
                f"did you mean {near}?",
            )

    def _value(self, annotations: Annotations, name: str, value: Any) -> Any:
        """The value of a field of ``custom``; None after reporting that it is wrong."""
        if name in ("id", "short_name"):
            return self._pattern(annotations, name, value)
        if name == "severity":
            if value in SEVERITIES:
                return value
            return self._wrong(annotations, name, value, "is not a severity", SEVERITIES)
        if name == "applies_to":
            return self._applies_to(annotations, value)
        if name == "controls":
            return self._texts_of(annotations, name, value)
        if name == "effective_from":
            return self._time(annotations, value)
        if isinstance(value, str):
            return value.strip()
        return self._wrong(annotations, name, value, "is not a text")

    def _pattern(self, annotations: Annotations, name: str, value: Any) -> str | None:
        if isinstance(value, str) and _ID.match(value):
            return value
        self._wrong(annotations, name, value, "is not an id: letters, digits and . _ : / -")
        return None

    def _applies_to(self, annotations: Annotations, value: Any) -> tuple[str, ...] | None:
        kinds = [value] if isinstance(value, str) else value
        if not isinstance(kinds, list) or not kinds:
            self._wrong(annotations, "applies_to", value, "is neither a kind nor a list of kinds")
            return None
        unknown = [kind for kind in kinds if not isinstance(kind, str) or kind not in self.kinds]
        for kind in unknown:
            self._wrong(annotations, "applies_to", kind, "is not a kind of artifact", self.kinds)
        return None if unknown else tuple(dict.fromkeys(kinds))

    def _texts_of(self, annotations: Annotations, name: str, value: Any) -> tuple[str, ...] | None:
        if isinstance(value, list) and all(isinstance(v, str) and v.strip() for v in value):
            return tuple(dict.fromkeys(v.strip() for v in value))
        self._wrong(annotations, name, value, "is not a list of texts")
        return None

    def _time(self, annotations: Annotations, value: Any) -> str | None:
        try:
            parse_time(value if isinstance(value, str) else "")
        except AdjudgeError as error:
            self._wrong(annotations, "effective_from", value, f"is not a date; {error.hint}")
            return None
        return str(value)

    def _wrong(
        self,
        annotations: Annotations,
        name: str,
        value: Any,
        why: str,
        known: Iterable[str] = (),
    ) -> None:
        known = sorted(known)
        near = close_match(value, known) if isinstance(value, str) else None
        hint = f"did you mean {near}?" if near else f"one of {choices(known, 30)}"
        self._error(
            "policy_metadata_invalid",
            f"custom.{name}: {shown(value)} {why}",
            self._place(annotations, name),
            hint if known else None,
        )

    def _place(self, annotations: Annotations, name: str) -> Location:
        """The line of a block that says ``name``, else its first."""
        loc = annotations.loc
        key = re.compile(rf"#[\s{{,-]*(?:.*[\s{{,])?[\"']?{re.escape(name)}[\"']?\s*:")
        lines = self._texts[loc.file].split("\n")[loc.row - 1 : annotations.end_row]
        for row, line in enumerate(lines, loc.row):
            if key.match(line.lstrip()):
                return Location(loc.file, row, line.index(name) + 1)
        return loc

    # -- ids ---------------------------------------------------------------------------------

    def _check_ids(self, specs: list[RuleSpec]) -> None:
        """Clauses with one id must be one rule: of one package, with one title."""
        first: dict[str, RuleSpec] = {}
        for spec in specs:
            known = first.setdefault(spec.id, spec)
            if (known.package, known.title) != (spec.package, spec.title):
                self._error(
                    "policy_id_duplicate",
                    f"the id {spec.id} is that of another rule, at {known.location}",
                    spec.location,
                    "give each rule its own id",
                )

    def _error(self, code: str, message: str, location: Location, hint: str | None) -> None:
        self.errors.append(self._made(code, message, location, hint))

    def _lint(self, code: str, message: str, location: Location, hint: str) -> None:
        self.lints.append(self._made(code, message, location, hint))

    def _made(
        self, code: str, message: str, location: Location, hint: str | None
    ) -> RegoCompileError:
        source = line_of(self._texts[location.file], location.row)
        return RegoCompileError(code, message, location=location, hint=hint, source=source)


def dotted(path: Sequence[str]) -> str:
    """A path of names as Rego writes it: ``a.b["c-d"]``."""
    text = "".join(f".{p}" if _PLAIN.match(p) else f'["{p}"]' for p in path)
    return text.removeprefix(".")


def _distinct(specs: list[RuleSpec]) -> list[RuleSpec]:
    """Rules without an id in one package may stand on the same line of two files."""
    made = Counter(s.id for s in specs if not s.has_id)
    out = []
    for spec in specs:
        if made[spec.id] > 1:
            longer = f"{spec.id}@{spec.location.file}"
            title = longer if spec.title == spec.id else spec.title
            spec = replace(spec, id=longer, title=title)
        out.append(spec)
    return out
