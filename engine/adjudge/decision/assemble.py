"""The parts of a decision in, the finished record out: ordered, decided and numbered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from adjudge.canonical import canonical_bytes
from adjudge.decision.ids import uuid7
from adjudge.decision.model import (
    Context,
    Decision,
    Degradation,
    EngineInfo,
    InputInfo,
    Model,
    Nondeterminism,
    Obligation,
    PolicyInfo,
    RuleResult,
    Subject,
)
from adjudge.decision.outcome import Outcome, decide, sort_results
from adjudge.decision.times import format_time, parse_time


def make_decision(
    *,
    time_ns: int,
    results: Iterable[RuleResult],
    subject: Iterable[Subject],
    policy: PolicyInfo,
    engine: EngineInfo,
    input: InputInfo,
    context: Context,
    degradations: Iterable[Degradation] = (),
    obligations: Iterable[Obligation] = (),
    nondeterminism: Iterable[Nondeterminism] = (),
    timings: Mapping[str, int] | None = None,
    outcome: Outcome | None = None,
    entropy: bytes | None = None,
) -> Decision:
    """The record of a decision at ``time_ns`` (nanoseconds since 1970).

    Waivers are applied already.  The outcome follows from the results and
    ``context.fail_on`` unless ``outcome`` gives it (a timeout, a revoked release).
    ``entropy`` is the random part of the id (ten bytes); with it the record is a
    function of the arguments.
    """
    ordered = sort_results(results)
    verdict = outcome or decide(ordered, context.fail_on)
    return Decision(
        decision_id=uuid7(time_ns, entropy),
        time=format_time(time_ns),
        outcome=verdict.outcome,
        reason_codes=tuple(str(code) for code in verdict.reason_codes),
        subject=tuple(sorted(subject, key=_subject_order)),
        policy=policy,
        engine=engine,
        input=input,
        context=context,
        results=ordered,
        degradations=tuple(sorted(degradations, key=_content)),
        obligations=tuple(sorted(obligations, key=_content)),
        nondeterminism=tuple(nondeterminism),
        timings=dict(timings or {}),
    )


def overruled(decision: Decision, outcome: Outcome, why: Degradation) -> Decision:
    """A decision with the same results and another outcome, under an id of its own: the one that
    it replaces may be known to somebody."""
    return make_decision(
        time_ns=parse_time(decision.time),
        results=decision.results,
        subject=decision.subject,
        policy=decision.policy,
        engine=decision.engine,
        input=decision.input,
        context=decision.context,
        degradations=[*decision.degradations, why],
        obligations=decision.obligations,
        nondeterminism=decision.nondeterminism,
        timings=decision.timings,
        outcome=outcome,
    )


def _subject_order(subject: Subject) -> tuple[bool, str, str, str]:
    return (subject.kind != "release", subject.path or "", subject.kind, subject.name)


def _content(part: Model) -> bytes:
    return canonical_bytes(part.model_dump(mode="json"))
