"""One input and the rules run over it: what clauses find in, results with evidence out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from adjudge.decision.model import (
    Evidence,
    RuleLocation,
    RuleResult,
    Source,
)
from adjudge.decision.outcome import limit_evidence
from adjudge.documents.model import Document, Position, join, parent_of, split
from adjudge.evaluation.model import RELEASE, Place, Running
from adjudge.policyset.model import RuleSpec
from adjudge.rego import RegoEvalError
from adjudge.rego.evidence import (
    Entry,
    Outcome,
    Places,
    Read,
    Solution,
)

if TYPE_CHECKING:
    # Runs are made of scopes.
    from adjudge.evaluation.run import Run

MAX_EVIDENCE = 20
"""Evidence kept of one result."""


class Scope:
    """One input and the rules run over it."""

    artifact: str | None = None
    kind: str = RELEASE

    def __init__(self, run: Run, input_: Any) -> None:
        self.run = run
        self.input = input_
        self._running: Running | None = None

    def concerns(self, spec: RuleSpec) -> bool:
        """Whether a rule is run over this input; of raw input, every rule is."""
        return self.run.case.raw or self.kind in spec.applies_to

    def parts(self) -> list[tuple[tuple[Any, ...], Places]]:
        """The documents within the input, each with its path there."""
        return []

    def results(self, spec: RuleSpec, entry: Entry) -> Iterator[RuleResult]:
        """Run one rule: a result for each finding, or one that says there is none."""
        if self._running is None:
            self._running = self.run.start(self)
        if not self._applicable(entry):
            yield result_of(
                spec,
                outcome="not_applicable",
                artifact=self.artifact,
                message="excluded by the policy's own condition",
            )
            return
        outcome = self._running.run(entry)
        if outcome.error is not None:
            yield self._error(spec, outcome)
            return
        findings = list(self._findings(spec, entry, outcome))
        if findings:
            yield from findings
        else:
            evidence, omitted = self._evidence(outcome.reads, None)
            yield result_of(
                spec,
                outcome="pass",
                artifact=self.artifact,
                evidence=evidence,
                evidence_omitted=omitted,
            )

    def _applicable(self, entry: Entry) -> bool:
        """Whether the package's rule ``applicable``, if it has one, says so.

        A condition that cannot be evaluated does not excuse the rule from running.
        """
        path = (*entry.group.path[:-1], "applicable")
        assert self._running is not None
        if not self.run.judge.has_rule(path):
            return True
        try:
            return self._running.value(path) is True
        except RegoEvalError:
            return True

    def _error(self, spec: RuleSpec, outcome: Outcome) -> RuleResult:
        error = outcome.error
        assert error is not None
        evidence, omitted = self._evidence(outcome.reads, None)
        return result_of(
            spec,
            outcome="error",
            message=self.run.settings.redaction.redact_text(str(error)),
            artifact=self.artifact,
            evidence=evidence,
            evidence_omitted=omitted,
            source=next((e.source for e in evidence if e.source), None),
        )

    def _findings(self, spec: RuleSpec, entry: Entry, outcome: Outcome) -> Iterator[RuleResult]:
        for solution in outcome.solutions:
            if entry.group.kind == "set":
                yield self._finding(spec, solution.value, solution)
                continue
            # A complete rule: its one value says it all.
            value = solution.value
            if value is False:
                continue
            if value is True:
                yield self._finding(spec, spec.title, solution)
            elif isinstance(value, list):
                for item in value:
                    yield self._finding(spec, item, solution)
            else:
                yield self._finding(spec, value, solution)

    def _finding(self, spec: RuleSpec, value: Any, solution: Solution) -> RuleResult:
        redaction = self.run.settings.redaction
        kind = spec.kind
        if kind == "deny" and not spec.effective(self.run.settings.now_ns):
            kind = "warn"
        parts = _parts(value)
        artifact, pointer, source = self._about(parts.pointer if parts else None)
        evidence, omitted = self._evidence(solution.reads, pointer)
        artifact = artifact or _artifact_of(evidence)
        source = source or next((e.source for e in evidence if e.source), None)
        if parts is None:
            return result_of(
                spec,
                outcome="error",
                message=f"an element of {spec.name} must be a string, or an object with msg; "
                f"this rule gave {redaction.redact_text(_short(value))}",
                artifact=artifact,
                evidence=evidence,
                evidence_omitted=omitted,
                source=source,
            )
        return result_of(
            spec,
            outcome="fail" if kind == "deny" else "warn",
            message=redaction.redact_text(parts.message) or spec.title,
            remediation=parts.remediation,
            artifact=artifact,
            pointer=pointer,
            source=source,
            details=redaction.details(parts.details),
            evidence=evidence,
            evidence_omitted=omitted,
        )

    def _evidence(
        self, reads: Iterable[Read], first: str | None
    ) -> tuple[tuple[Evidence, ...], int]:
        places = [(self._read_at(read), read.value) for read in reads]
        # A group of artifacts and the list of all of them are two ways to one artifact.
        passed = {
            (place.document, above) for place, _ in places for above in _enclosing(place.pointer)
        }
        found = [
            self.run.evidence(place, value)
            for place, value in places
            if (place.document, place.pointer) not in passed
        ]
        return limit_evidence(found, MAX_EVIDENCE, first=first)

    def _read_at(self, read: Read) -> Place:
        if read.root == "data":
            return Place(None, join("/data", *read.path), None)
        return self.place(read.path)

    def _about(self, pointer: str | None) -> tuple[str | None, str | None, Source | None]:
        """The artifact, the pointer into it and the place that a policy's pointer is about."""
        if pointer is None:
            return self.artifact, None, None
        place = self.place(split(f"/{pointer.removeprefix('/')}"))
        return self.artifact or place.artifact, place.pointer, place.source

    def place(self, path: Sequence[Any]) -> Place:
        """Which artifact a path of the input belongs to, its pointer there, and where in a
        file that stands."""
        raise NotImplementedError  # pragma: no cover - abstract

    def _in_manifest(self, path: Sequence[Any]) -> Place:
        pointer = join("", *path)
        locate = self.run.case.locate_release
        return Place(None, pointer, _source(locate(pointer) if locate is not None else None))


class ArtifactScope(Scope):
    """One artifact, and the release around it."""

    def __init__(self, run: Run, document: Document, *, raw: bool) -> None:
        self.document = document
        self.raw = raw
        self.artifact = document.path
        self.kind = document.kind
        if raw:
            super().__init__(run, document.document)
        else:
            super().__init__(run, {**document.as_input(), "release": run.case.release})

    def parts(self) -> list[tuple[tuple[Any, ...], Places]]:
        return [] if self.raw else [((), self.run.places(self.document))]

    def place(self, path: Sequence[Any]) -> Place:
        if path and path[0] == "release" and not self.raw:
            return self._in_manifest(path)
        pointer = join("/document" if self.raw else "", *path)
        return Place(self.document, pointer, _source(self.document.locate(pointer)))


class ReleaseScope(Scope):
    """The whole release."""

    def __init__(self, run: Run) -> None:
        super().__init__(run, run.case.release_input)
        self._documents = {id(d.as_input()): d for d in run.case.documents}

    def parts(self) -> list[tuple[tuple[Any, ...], Places]]:
        documents = self.run.case.documents
        return [(("artifacts", n), self.run.places(d)) for n, d in enumerate(documents)]

    def place(self, path: Sequence[Any]) -> Place:
        document = self._document(path)
        if document is None:
            return self._in_manifest(path)
        pointer = join("", *path[2:])
        return Place(document, pointer, _source(document.locate(pointer)))

    def _document(self, path: Sequence[Any]) -> Document | None:
        """The artifact at ``artifacts/N``, or in a group such as ``model_cards/N``: the groups
        hold the same dicts."""
        group = self.input.get(path[0]) if len(path) >= 2 else None
        index = str(path[1]) if len(path) >= 2 else ""
        # No longer than an index can be: a policy may have made the pointer of anything.
        if not isinstance(group, list) or not re.fullmatch("[0-9]{1,9}", index):
            return None
        return self._documents.get(id(group[int(index)])) if int(index) < len(group) else None


@dataclass(frozen=True, slots=True)
class _Parts:
    message: str
    pointer: str | None = None
    details: Any = None
    remediation: str = ""


def _parts(value: Any) -> _Parts | None:
    """What an element of ``deny`` says; None when it is neither a string nor an object
    with a message."""
    if isinstance(value, str):
        return _Parts(value)
    if not isinstance(value, dict):
        return None
    message = value.get("msg", value.get("message"))
    if not isinstance(message, str):
        return None
    pointer = value.get("pointer")
    remediation = value.get("remediation")
    details = value.get("details")
    if details is None:
        rest = {
            k: v
            for k, v in value.items()
            if k not in ("msg", "message", "pointer", "remediation", "details")
        }
        details = rest or None
    return _Parts(
        message,
        pointer if isinstance(pointer, str) and pointer else None,
        details,
        remediation if isinstance(remediation, str) else "",
    )


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def result_of(spec: RuleSpec, **members: Any) -> RuleResult:
    """A result of a rule, with what the rule says of itself."""
    members["remediation"] = members.get("remediation") or spec.remediation
    return RuleResult(
        rule_id=spec.id,
        package=spec.package,
        title=spec.title,
        severity=spec.severity,
        controls=tuple(spec.controls),
        location=RuleLocation(file=spec.location.file, row=max(spec.location.row, 1)),
        **members,
    )


def _enclosing(pointer: str) -> Iterator[str]:
    """The pointers to everything around what a pointer points at."""
    while pointer:
        pointer = parent_of(pointer)
        yield pointer


def _artifact_of(evidence: Sequence[Evidence]) -> str | None:
    """The one artifact all evidence is about, if it is one."""
    paths = {e.artifact for e in evidence if e.artifact is not None}
    return paths.pop() if len(paths) == 1 else None


def _source(position: Position | None) -> Source | None:
    if position is None:
        return None
    return Source(file=position.file, line=position.line, column=position.column)
