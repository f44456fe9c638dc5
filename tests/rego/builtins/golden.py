"""Cases with the answers that OPA gave, and how to ask the real OPA again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from adjudge.rego.runtime.numbers import parse_number
from adjudge.rego.runtime.text import rego_text
from adjudge.rego.runtime.values import RegoSet, make_object, unbox


class Context:
    """A builtin context with generous limits."""

    def __init__(self, max_size: int = 1_000_000, steps: int = 10_000_000) -> None:
        self.now_ns = 0
        self.seed = b"seed"
        self.cache: dict[Any, Any] = {}
        self.max_size = max_size
        self.steps = steps

    def charge(self, steps: int) -> None:
        self.steps -= steps
        if self.steps < 0:
            raise TimeoutError("too many steps")

    def service(self, name: str) -> Any:
        return None


def decode(value: Any) -> Any:
    """A Rego value from a case: ``{"$set": […]}`` is a set, ``{"$object": [[k, v], …]}`` an
    object with keys of any kind."""
    if isinstance(value, list):
        return [decode(v) for v in value]
    if isinstance(value, dict):
        if value.keys() == {"$set"}:
            return RegoSet(decode(v) for v in value["$set"])
        if value.keys() == {"$object"}:
            return make_object((decode(k), decode(v)) for k, v in value["$object"])
        return {k: decode(v) for k, v in value.items()}
    return value


def literal(value: Any) -> str:
    """The value as Rego source."""
    if isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, dict):
        pairs = [f"{literal(unbox(k))}: {literal(v)}" for k, v in value.items()]
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, RegoSet) and len(value):
        return f"{{{', '.join(map(literal, value))}}}"
    return rego_text(value)


def read_cases(path: Path) -> list[dict[str, Any]]:
    """The cases of a file: ``call`` and ``args``, and what OPA answered: ``want``, the
    answer in an array as a Rego term, or ``error``, or neither when it was undefined."""
    cases: list[dict[str, Any]] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        case = json.loads(line, parse_float=parse_number, parse_int=parse_number)
        case["args"] = [decode(arg) for arg in case["args"]]
        cases.append(case)
    return cases


def opa_binary() -> str | None:
    """The real OPA: ``OPA_BIN``, ``opa`` on the path, or where Go installs it."""
    installed = os.path.expanduser("~/go/bin/opa")
    found = os.environ.get("OPA_BIN") or shutil.which("opa")
    return found or (installed if os.path.exists(installed) else None)


def ask_opa(opa: str, cases: list[dict[str, Any]], folder: Path) -> list[dict[str, Any]]:
    """What OPA answers to each case, in the form of :func:`read_cases`.

    The arguments go through a function, so that the type checker cannot object to them;
    a number tells the calls apart, or OPA would take ``10`` for the ``10.0`` it has seen.
    """
    lines = ["package golden", "id(_, x) = y { y := x }"]
    for i, case in enumerate(cases):
        args = ", ".join(f"id({[i, j]}, {literal(a)})" for j, a in enumerate(case["args"]))
        if case["call"] == "walk":
            lines.append(f'r{i} = sprintf("%v", [[[x | walk({args}, x)]]])')
        else:
            lines.append(f'r{i} = y {{ x := {case["call"]}({args}); y := sprintf("%v", [[x]]) }}')
    module = folder / "golden.rego"
    module.write_text("\n".join(lines) + "\n", encoding="utf-8")
    command = [opa, "eval", "--v0-compatible", "-f", "json", "--show-builtin-errors"]
    done = subprocess.run(
        [*command, "-d", str(module), "data.golden"], capture_output=True, text=True, check=False
    )
    answer = json.loads(done.stdout)
    if "result" not in answer:
        raise AssertionError(json.dumps(answer, indent=1)[:3000])
    values = answer["result"][0]["expressions"][0]["value"]
    errors = {e["location"]["row"]: e for e in answer.get("errors", [])}
    out: list[dict[str, Any]] = []
    for i, case in enumerate(cases):
        if f"r{i}" in values:
            out.append({"want": values[f"r{i}"]})
        elif i + 3 in errors:
            out.append({"error": errors[i + 3]["message"].removeprefix(case["call"] + ": ")})
        else:
            out.append({})
    return out
