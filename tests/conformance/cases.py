"""Conformance cases in (JSON lines), verdicts out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adjudge.errors import AdjudgeError, ErrorList
from adjudge.rego import UNDEFINED, Options, compile_modules
from adjudge.rego.builtins.registry import builtin
from adjudge.rego.capabilities import BuiltinDecl, Capabilities, all_capabilities
from adjudge.rego.runtime.text import from_json
from adjudge.rego.runtime.values import Value


@builtin("test.sleep")
def _sleep(duration: Value) -> Value:
    """What OPA's own test runner declares besides the builtins: nothing needs to pass time
    to see that the clock stands still."""
    return None


_DECLARED = Capabilities(
    {
        **all_capabilities().builtins,
        "test.sleep": BuiltinDecl("test.sleep", ({"type": "string"},), {"type": "null"}),
    }
)


@dataclass(frozen=True)
class Verdict:
    """How one case went; ``problem`` is empty when it passed."""

    case: dict[str, Any]
    problem: str

    @property
    def passed(self) -> bool:
        return not self.problem


def read_cases(path: Path) -> Iterator[dict[str, Any]]:
    """The cases of a JSON-lines file."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)


def judge(case: dict[str, Any]) -> Verdict:
    """Run one case."""
    wants_error = case.get("want_error_code") or case.get("want_error")
    try:
        rows = _evaluate(case)
    except AdjudgeError as e:
        if not wants_error:
            return Verdict(case, f"unexpected error: {e}")
        return Verdict(case, _compare_error(case, e))
    except Exception as e:
        return Verdict(case, f"crashed: {type(e).__name__}: {e}")
    if wants_error:
        return Verdict(case, f"no error, but {json.dumps(rows)[:200]}")
    return Verdict(case, _compare_rows(case, rows))


def _evaluate(case: dict[str, Any]) -> list[dict[str, Any]]:
    modules = {f"test-{n}.rego": text for n, text in enumerate(case["modules"])}
    program = compile_modules(modules, data=case.get("data") or {}, capabilities=_DECLARED)
    query = program.prepare(case["query"])
    options = Options(strict_builtin_errors=bool(case.get("strict_error")))
    return [r.bindings for r in query.eval(_input(case), options=options)]


def _input(case: dict[str, Any]) -> Value:
    if "input_term" in case:
        # Through a rule, not a query: results are JSON, and a term may hold sets.
        program = compile_modules(
            {"input.rego": f"package input_term\n\nx := {case['input_term']}"}
        )
        return program.rule_at(("input_term", "x"))(program.context(UNDEFINED, Options(), None))
    if "input" in case:
        return from_json(case["input"])
    return UNDEFINED


def _compare_error(case: dict[str, Any], error: AdjudgeError) -> str:
    errors = error.errors if isinstance(error, ErrorList) else [error]
    code = case.get("want_error_code")
    text = case.get("want_error") or ""
    for e in errors:
        shown = f"{e.location.file}:{e.location.row}: {e.code}: {e.message}" if e.location else ""
        if (not code or e.code == code) and (text in e.message or text in shown or text in str(e)):
            return ""
    return f"wanted {code} {text!r}, got {error}"


def _compare_rows(case: dict[str, Any], rows: list[dict[str, Any]]) -> str:
    want = case.get("want_result") or []
    as_sets = bool(case.get("sort_bindings"))
    got_keys = sorted(_canonical(r, as_sets) for r in rows)
    want_keys = sorted(_canonical(r, as_sets) for r in want)
    if got_keys == want_keys:
        return ""
    return f"wanted {json.dumps(want)[:300]}, got {json.dumps(rows, default=str)[:300]}"


def _canonical(value: Any, as_sets: bool) -> str:
    """Text that is equal for equal JSON values (``1`` and ``1.0`` are)."""
    if isinstance(value, dict):
        pairs = (f"{json.dumps(k)}:{_canonical(v, as_sets)}" for k, v in sorted(value.items()))
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list):
        items = [_canonical(v, as_sets) for v in value]
        return "[" + ",".join(sorted(items) if as_sets else items) + "]"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value, default=str)
