"""Fixtures: rules of a small program explained over an input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from adjudge.documents.reading import read_json
from adjudge.explanation import Bounds, Change, Explanation, QueryExplainer
from adjudge.rego import Options, compile_modules
from adjudge.rego.parser import parse_module

Explain = Callable[..., Explanation]

BOUNDS = Bounds(seconds=20.0)
NOW = 1_790_000_000_000_000_000  # in September 2026


@pytest.fixture
def explained() -> Explain:
    """Explain a rule of a module over an input; what flips it is verified once more."""

    def run(
        text: str,
        input_: Any,
        rule: str = "deny",
        bounds: Bounds | None = BOUNDS,
        source: str | None = None,
    ) -> Explanation:
        module = parse_module(f"package p\n\n{text}\n", "p.rego")
        program = compile_modules({"p.rego": module})
        explainer = QueryExplainer(
            program,
            {"p.rego": module},
            input_,
            Options(now_ns=NOW),
            "in.json",
            None if source is None else read_json(source, "in.json"),
            bounds,
        )
        explanation = explainer.explain(("p", rule))
        found = explanation.counterfactual
        if found is not None and found.changes is not None:
            before = program.rule(f"data.p.{rule}").eval(input_)
            after = program.rule(f"data.p.{rule}").eval(patched(input_, found.changes))
            assert _holds(before) != _holds(after)
        return explanation

    return run


def _holds(value: Any) -> bool:
    return bool(value) if isinstance(value, bool | list) else value.__class__ is not object


def patched(document: Any, changes: tuple[Change, ...]) -> Any:
    """The document after a JSON Patch, applied by the letter of RFC 6902."""
    import copy

    out = copy.deepcopy(document)
    for change in changes:
        operation = change.to_json()
        *above, last = [
            p.replace("~1", "/").replace("~0", "~") for p in operation["path"].split("/")[1:]
        ]
        at = out
        for step in above:
            at = at[int(step)] if isinstance(at, list) else at[step]
        key: Any = int(last) if isinstance(at, list) else last
        if operation["op"] == "remove":
            del at[key]
        elif operation["op"] == "add" and isinstance(at, list):
            at.insert(key, operation["value"])
        else:
            at[key] = operation["value"]
    return out
