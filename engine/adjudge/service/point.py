"""A compiled policy set and an input in, an answer and its decision record out.

This is what every route of the service stands on; it knows nothing of HTTP.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from adjudge.canonical import digest_of
from adjudge.decision.assemble import make_decision
from adjudge.decision.model import (
    Context,
    Decision,
    Degradation,
    Digest,
    EngineInfo,
    InputInfo,
    PolicyInfo,
    RuleResult,
    Subject,
)
from adjudge.decision.outcome import Outcome, ReasonCode, no_verdict
from adjudge.decision.values import encode_value
from adjudge.errors import AdjudgeError
from adjudge.policyset.programs import compiled, keep
from adjudge.rego import UNDEFINED, Options, Program, RegoEvalError
from adjudge.rego.capabilities import gate_capabilities
from adjudge.rego.runtime.documents import force, lazy_at
from adjudge.rego.runtime.limits import Limits
from adjudge.rego.runtime.text import to_json
from adjudge.rego.syntax import Module
from adjudge.version import __version__

FINDING_NAMES = ("deny", "warn", "violation")
_EMBEDDED = EngineInfo(name="adjudge", version=__version__)


@dataclass(frozen=True, slots=True)
class Answer:
    """The value at a path (JSON; ``UNDEFINED`` when there is none) or the error, with the
    record of the decision and the evaluation time in nanoseconds."""

    value: Any
    decision: Decision
    error: AdjudgeError | None
    eval_ns: int


class Documents(Protocol):
    """Another engine that holds the same policies and data, and gives their documents."""

    @property
    def info(self) -> EngineInfo:
        """What records call it."""

    @property
    def degradations(self) -> Sequence[Degradation]:
        """What it cannot give."""

    def value(self, path: Sequence[str | int], input_: Any, options: Options) -> Any:
        """The document at a path below ``data`` as JSON, ``UNDEFINED`` when there is none.

        Raises ``RegoEvalError`` for what cannot be evaluated, another ``AdjudgeError`` when
        the engine fails.
        """


class DecisionPoint:
    """Policies and data, ready to answer; safe to share between threads.

    Raises ``RegoErrors`` when the modules do not compile.
    """

    def __init__(
        self,
        modules: Mapping[str, str | Module],
        data: Mapping[str, Any],
        *,
        name: str = "policies",
        digest: str = "",
        limits: Limits | None = None,
        tenant: str | None = None,
        engine: Documents | None = None,
    ) -> None:
        self.program: Program = compiled(modules, data=data, capabilities=gate_capabilities())
        # The first request is not to wait for the compiler.
        self.program.link()
        keep()
        self.limits = limits or Limits(seconds=5.0)
        self.tenant = tenant
        self._policy = PolicyInfo(
            name=name, digest=digest or digest_of(sorted(self.program.rule_paths))
        )
        self._other = engine
        self._data_digest = digest_of(encode_value(dict(data)))

    def answer(
        self,
        path: Sequence[str | int],
        input_: Any = UNDEFINED,
        *,
        strict_builtin_errors: bool = False,
        now_ns: int | None = None,
    ) -> Answer:
        """The document at a path below ``data``, evaluated for an input."""
        now = time.time_ns() if now_ns is None else now_ns
        start = time.perf_counter_ns()
        value: Any = UNDEFINED
        error: AdjudgeError | None = None
        options = Options(
            now_ns=now, strict_builtin_errors=strict_builtin_errors, limits=self.limits
        )
        try:
            if self._other is None:
                value = self._value(path, input_, options)
            else:
                value = self._other.value(path, input_, options)
        except AdjudgeError as e:
            error = e
        except RecursionError:
            error = RegoEvalError("eval_limit_error", "evaluation nested too deeply")
        spent = time.perf_counter_ns() - start
        decision = self._record(path, input_, value, error, now, spent)
        return Answer(value, decision, error, spent)

    def _value(self, path: Sequence[str | int], input_: Any, options: Options) -> Any:
        c = self.program.context(input_, options, None)
        found: Any = c.lazy(())
        for key in path:
            found = lazy_at(c, found, key)
            if found is UNDEFINED:
                return UNDEFINED
        found = force(c, found)
        return found if found is UNDEFINED else to_json(found)

    def _record(
        self,
        path: Sequence[str | int],
        input_: Any,
        value: Any,
        error: AdjudgeError | None,
        now: int,
        spent: int,
    ) -> Decision:
        name = "/".join(str(p) for p in path)
        outcome = _outcome(path, value, error)
        digest = digest_of(None if input_ is UNDEFINED else encode_value(input_))
        message = str(error) if error is not None else ""
        state = "pass" if outcome.outcome == "allow" else "fail"
        result = RuleResult(
            rule_id="data." + name.replace("/", "."),
            package="data." + ".".join(str(p) for p in path[:-1]),
            title=f"query {name}",
            severity=None,
            outcome="error" if error is not None else state,  # type: ignore[arg-type]
            message=message,
            details=_result_detail(value),
        )
        return make_decision(
            time_ns=now,
            results=[result],
            subject=[Subject(name=name, kind="query", digest=Digest(sha256=digest))],
            policy=self._policy,
            engine=_EMBEDDED if self._other is None else self._other.info,
            degradations=() if self._other is None else self._other.degradations,
            input=InputInfo(digest=digest, data_digest=self._data_digest),
            context=Context(tenant=self.tenant, event="query"),
            timings={"eval": spent},
            outcome=outcome,
        )


def _result_detail(value: Any) -> Any:
    """The answer, when it is small enough to keep; its digest otherwise."""
    if value is UNDEFINED:
        return None
    encoded = encode_value(value)
    if isinstance(value, bool | int | float | None) or len(str(encoded)) <= 2048:
        return encoded
    return {"sha256": digest_of(encoded)}


def _outcome(path: Sequence[str | int], value: Any, error: AdjudgeError | None) -> Outcome:
    """What an answer means to a caller that wants allow or deny: only an explicit allow
    is one, and an answer that is neither is no verdict."""
    if error is not None and not isinstance(error, RegoEvalError):
        late = error.code == "opa_timeout"
        return no_verdict(ReasonCode.TIMEOUT if late else ReasonCode.EVALUATION_ERROR)
    if error is not None:
        limit = error.code == "eval_limit_error"
        reason = ReasonCode.LIMIT_EXCEEDED if limit else ReasonCode.EVALUATION_ERROR
        return Outcome("deny", (reason,))
    if value is True:
        return Outcome("allow", (ReasonCode.NO_BLOCKING_RESULT,))
    if value is False:
        return Outcome("deny", (ReasonCode.DENIED_BY_RULE,))
    last = str(path[-1]) if path else ""
    if last.startswith(FINDING_NAMES) and isinstance(value, list | dict):
        if value:
            return Outcome("deny", (ReasonCode.DENIED_BY_RULE,))
        return Outcome("allow", (ReasonCode.NO_BLOCKING_RESULT,))
    if isinstance(value, dict) and isinstance(value.get("allow"), bool):
        return _outcome((), value["allow"], None)
    return no_verdict()
