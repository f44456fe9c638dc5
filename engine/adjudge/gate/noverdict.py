"""An error that kept anything from being judged in, a report without a verdict out.

So that a run that ends without a verdict leaves the same files as any other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from adjudge.canonical import digest_of
from adjudge.decision.assemble import make_decision
from adjudge.decision.model import (
    Context,
    Degradation,
    EngineInfo,
    FailOn,
    InputInfo,
    PolicyInfo,
    Subject,
)
from adjudge.decision.outcome import ReasonCode, no_verdict
from adjudge.decision.redaction import RedactionPolicy
from adjudge.decision.values import spell_surrogates
from adjudge.errors import AdjudgeError, ErrorList, InputError
from adjudge.exports.report import Report
from adjudge.gate.release import event_name
from adjudge.rego.errors import RegoError, RegoErrors
from adjudge.version import __version__

MAX_ERRORS = 200
"""Errors that are listed; more are only counted."""


def no_verdict_report(
    error: AdjudgeError,
    now_ns: int,
    *,
    subject: str,
    policies: str,
    fail_on: FailOn = "deny",
    environ: Mapping[str, str],
) -> Report:
    """The report of a judgement that an error ended at ``now_ns`` (nanoseconds since 1970).

    ``subject`` and ``policies`` are the names of what was asked for.  The errors stand among
    the degradations.  Nothing was read for certain, so the digests are those of nothing.
    """
    decision = make_decision(
        time_ns=now_ns,
        results=(),
        subject=[Subject(name=spell_surrogates(subject), kind="release")],
        policy=PolicyInfo(name=spell_surrogates(policies), digest=digest_of([])),
        engine=EngineInfo(name="adjudge", version=__version__),
        input=InputInfo(digest=digest_of(None)),
        context=Context(fail_on=fail_on, event=event_name(None, environ)),
        degradations=_degradations(error),
        outcome=no_verdict(_reason(error)),
    )
    return Report(decision=decision)


def _reason(error: AdjudgeError) -> ReasonCode:
    first = error.errors[0] if isinstance(error, ErrorList) else error
    if isinstance(first, (RegoError, RegoErrors)) or "polic" in first.code:
        return ReasonCode.POLICY_INVALID
    return ReasonCode.INPUT_INVALID if isinstance(first, InputError) else ReasonCode.NO_VERDICT


def _degradations(error: AdjudgeError) -> Iterator[Degradation]:
    errors = error.errors if isinstance(error, ErrorList) else [error]
    redaction = RedactionPolicy()
    for one in errors[:MAX_ERRORS]:
        where = f"{one.location}: " if one.location else ""
        hint = f" ({one.hint})" if one.hint else ""
        message = redaction.redact_text(spell_surrogates(f"{where}{one.message}{hint}"))
        yield Degradation(code=one.code, message=message)
    if len(errors) > MAX_ERRORS:
        more = f"there are {len(errors) - MAX_ERRORS} more errors"
        yield Degradation(code="errors_cut", message=more)
