"""Rule results in, the outcome of the decision out, and the one order results stand in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from adjudge.canonical import canonical_bytes
from adjudge.decision.model import EXIT_CODES, Evidence, FailOn, Model, RuleResult, Source, Verdict


class ReasonCode(StrEnum):
    """Why a decision came out as it did: a closed list, part of the public interface."""

    NO_BLOCKING_RESULT = "no_blocking_result"
    """Allow: at least one rule was evaluated and nothing blocks."""
    WAIVERS_APPLIED = "waivers_applied"
    """Allow, and at least one failure is covered by a waiver."""
    DENIED_BY_RULE = "denied_by_rule"
    DENIED_BY_WARNING = "denied_by_warning"
    """A warning blocks because the caller asked for it."""
    EVALUATION_ERROR = "evaluation_error"
    """A rule could not be evaluated; that blocks."""
    NO_RULES_EVALUATED = "no_rules_evaluated"
    """No verdict: no rule applied to anything."""
    NO_VERDICT = "no_verdict"
    """No verdict, for a reason none of the others names."""
    INPUT_INVALID = "input_invalid"
    POLICY_INVALID = "policy_invalid"
    LIMIT_EXCEEDED = "limit_exceeded"
    TIMEOUT = "timeout"
    STALE_POLICY = "stale_policy"
    UNKNOWN_TENANT = "unknown_tenant"
    NOT_RELEASED = "not_released"
    """No release decision admits the model or prompt of a runtime request."""
    REVOKED = "revoked"
    """The release decision that admitted it was revoked."""
    LEDGER_UNAVAILABLE = "ledger_unavailable"
    """The decision had to be in the ledger before it is answered, and could not be written."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The verdict, its exit code (0, 1 or 2) and the sorted reason codes."""

    outcome: Verdict
    reason_codes: tuple[ReasonCode, ...]

    @property
    def exit_code(self) -> int:
        """0 for allow, 1 for deny, 2 for no verdict."""
        return EXIT_CODES[self.outcome]


def decide(results: Iterable[RuleResult], fail_on: FailOn = "deny") -> Outcome:
    """The outcome of rule results.

    Errors and failures block, warnings only with ``fail_on="warn"``.  A rule that was not
    applicable was not evaluated; when none was, there is no verdict.
    """
    seen = {result.outcome for result in results}
    blocking: set[ReasonCode] = set()
    if "fail" in seen:
        blocking.add(ReasonCode.DENIED_BY_RULE)
    if "error" in seen:
        blocking.add(ReasonCode.EVALUATION_ERROR)
    if "warn" in seen and fail_on == "warn":
        blocking.add(ReasonCode.DENIED_BY_WARNING)
    if blocking:
        return Outcome("deny", tuple(sorted(blocking)))
    if not seen - {"not_applicable"}:
        return no_verdict(ReasonCode.NO_RULES_EVALUATED)
    reasons = {ReasonCode.NO_BLOCKING_RESULT}
    if "waived" in seen:
        reasons.add(ReasonCode.WAIVERS_APPLIED)
    return Outcome("allow", tuple(sorted(reasons)))


def no_verdict(*reasons: ReasonCode) -> Outcome:
    """The outcome when nothing could be decided; without a reason, ``no_verdict``."""
    return Outcome("no_verdict", tuple(sorted(set(reasons) or {ReasonCode.NO_VERDICT})))


def sort_results(results: Iterable[RuleResult]) -> tuple[RuleResult, ...]:
    """The results in the order of the record: by rule, artifact, place, message and clause.

    Equal places are told apart by the whole content, so that the order never depends on
    the order of evaluation.  Evidence within each result is sorted too.
    """
    ordered = [
        result.model_copy(update={"evidence": sort_evidence(result.evidence)})
        if len(result.evidence) > 1
        else result
        for result in results
    ]
    return tuple(sorted(ordered, key=_result_order))


def sort_evidence(evidence: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """Evidence by artifact, place in the file and pointer; exact repetitions once."""
    ordered = sorted(evidence, key=_evidence_order)
    return tuple(
        item for index, item in enumerate(ordered) if index == 0 or item != ordered[index - 1]
    )


def limit_evidence(
    evidence: Sequence[Evidence], limit: int, *, first: str | None = None
) -> tuple[tuple[Evidence, ...], int]:
    """At most ``limit`` pieces of sorted evidence, and how many were left out.

    Evidence at the pointer ``first``, the one a finding is about, is kept before others.
    """
    ordered = sort_evidence(evidence)
    if len(ordered) <= limit:
        return ordered, 0
    named = [item for item in ordered if item.pointer == first][:limit]
    rest = [item for item in ordered if item.pointer != first][: limit - len(named)]
    return sort_evidence([*named, *rest]), len(ordered) - limit


class _Content:
    """Orders what stands at the same place by its content, encoded only when it matters."""

    __slots__ = ("part",)

    def __init__(self, part: Model) -> None:
        self.part = part

    def __eq__(self, other: object) -> bool:
        # Not the models themselves: Python takes 1 and True for equal.
        return isinstance(other, _Content) and self._encoded() == other._encoded()

    def __lt__(self, other: _Content) -> bool:
        return self._encoded() < other._encoded()

    def _encoded(self) -> bytes:
        return canonical_bytes(self.part.model_dump(mode="json"))


def _place(source: Source | None) -> tuple[str, int, int]:
    return (source.file, source.line, source.column) if source else ("", 0, 0)


def _result_order(result: RuleResult) -> tuple[object, ...]:
    return (
        result.rule_id,
        result.package,
        result.artifact or "",
        _place(result.source),
        result.message,
        (result.location.file, result.location.row) if result.location else ("", 0),
        _Content(result),
    )


def _evidence_order(item: Evidence) -> tuple[object, ...]:
    return (item.artifact or "", _place(item.source), item.pointer, _Content(item))
