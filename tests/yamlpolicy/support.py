"""What the tests of YAML policies share: a small kind, and ways to run what it compiles to."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from adjudge.errors import ErrorList
from adjudge.rego import UNDEFINED, Options, RegoErrors, compile_modules
from adjudge.yamlpolicy import PolicyModule, as_rego, compile_policy

NOW_NS = 1_767_225_600_000_000_000  # 2026-01-01T00:00:00Z

TEXT = {"type": "string"}
MAYBE = {"type": ["string", "null"]}
COMPONENT = {
    "type": "object",
    "properties": {
        "name": TEXT,
        "version": TEXT,
        "size": {"type": "integer"},
        "scope": {"type": "string", "enum": ["required", "optional"]},
        "hashes": {"type": "array", "items": TEXT},
        "parts": {"type": "array", "items": {"$ref": "#/$defs/component"}},
    },
    "required": ["name", "hashes"],
    "additionalProperties": False,
}
CARD = {
    "type": "object",
    "properties": {
        "title": TEXT,
        "purpose": TEXT,
        "note": MAYBE,
        "reviewed": TEXT,
        "version": TEXT,
        "score": {"type": "number"},
        "limit": {"type": "number"},
        "open": {"type": "boolean"},
        "tier": {"enum": ["low", "high", None]},
        "tags": {"type": "array", "items": TEXT},
        "aliases": {"type": "array", "items": TEXT},
        "license": {
            "type": "object",
            "properties": {"id": TEXT, "name": TEXT},
            "additionalProperties": False,
        },
        "labels": {"type": "object", "additionalProperties": TEXT},
        "described": {"oneOf": [{"$ref": "#/$defs/component"}, {"type": "null"}]},
        "components": {"type": "array", "items": {"$ref": "#/$defs/component"}},
    },
    "required": ["title", "tags", "components"],
    "additionalProperties": False,
    "$defs": {"component": COMPONENT},
}
LIST = {
    "type": "object",
    "properties": {"entries": {"type": "array", "items": {"type": "number"}}},
    "additionalProperties": False,
}
SCHEMAS = {"card": CARD, "weights": LIST}


def compiled(text: str) -> PolicyModule:
    """The policy of a text."""
    return compile_policy(text, "p.yaml", SCHEMAS)


def refused(text: str) -> ErrorList:
    """The errors of a policy that must not compile."""
    with pytest.raises(RegoErrors) as caught:
        compile_policy(text, "p.yaml", SCHEMAS)
    return caught.value


def policy(condition: Any, top: Mapping[str, Any] | None = None, **entry: Any) -> str:
    """The text of a policy for ``card`` with one entry; ``top`` replaces its own keys."""
    whole = {
        "apiVersion": "adjudge/v1",
        "kind": "Policy",
        "metadata": {"id": "T-1", "title": "test"},
        "applies_to": "card",
        "deny": [{"message": "found", "when": condition, **entry}],
        **(top or {}),
    }
    return json.dumps(whole, ensure_ascii=False)


def findings(module: PolicyModule, input_: Any, data: Mapping[str, Any] | None = None) -> Any:
    """``deny`` by adjudge, where a failing builtin is an error; None when undefined."""
    program = compile_modules({"p.yaml": module.module}, data=data or {})
    path = ".".join(("data", *module.module.package, "deny"))
    options = Options(now_ns=NOW_NS, strict_builtin_errors=True)
    value = program.rule(path).eval(input=input_, options=options)
    return None if value is UNDEFINED else value


def findings_by_opa(
    cases: list[tuple[PolicyModule, Any]], folder: Path, data: Mapping[str, Any]
) -> list[Any]:
    """``deny`` of many policies, each with its input, by the real OPA in one process."""
    binary = shutil.which("opa") or str(Path.home() / "go" / "bin" / "opa")
    if not Path(binary).exists():
        pytest.skip("the real OPA is not installed")
    parts = []
    for i, (module, _) in enumerate(cases):
        text = as_rego(module.module)
        package = f"package {'.'.join(module.module.package)}\n"
        assert package in text
        (folder / f"c{i}.rego").write_text(text.replace(package, f"package cases.c{i}\n"), "utf-8")
        parts.append(
            f"x{i} := data.cases.c{i}.deny with input as data.inputs[{i}] "
            f"with time.now_ns as {NOW_NS}"
        )
    whole = {**data, "inputs": [value for _, value in cases]}
    (folder / "data.json").write_text(json.dumps(whole), "utf-8")
    done = subprocess.run(
        [binary, "eval", "-d", str(folder), "; ".join(parts)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    bindings = json.loads(done.stdout)["result"][0]["bindings"]
    return [bindings[f"x{i}"] for i in range(len(cases))]
