"""How these tests call builtins, and how they ask the real OPA for its answers."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from adjudge.rego.builtins.registry import BuiltinError, declared
from adjudge.rego.runtime.values import UNDEFINED, RegoSet, plain_items, type_name

FAMILIES = (
    "aws",
    "http",
    "crypto",
    "debugging",
    "graphql",
    "json_schema",
    "jwt",
    "net",
    "rand",
    "rego_meta",
    "runtime_info",
    "times",
    "uuids",
    "x509",
)


class Context:
    """A builtin context with a fixed time and seed, and the services given to it."""

    def __init__(self, limit: int = 10_000_000, **services: Any) -> None:
        self.now_ns = 1_700_000_000_123_456_789
        self.seed = b"seed"
        self.cache: dict[Any, Any] = {}
        self.max_size = 1_000_000
        self.steps = limit
        self.services = services

    def charge(self, steps: int) -> None:
        self.steps -= steps
        if self.steps < 0:
            raise TimeoutError

    def service(self, name: str) -> Any:
        return self.services.get(name)


def run(name: str, *args: Any, context: Any = None) -> Any:
    """Call a builtin as the runtime does; a BuiltinError comes out as it is."""
    entry = declared()[name]
    return entry.function(context or Context(), *args) if entry.context else entry.function(*args)


def outcome(name: str, *args: Any, context: Any = None) -> Any:
    """The answer as OPA prints it in JSON, or (message, code) of the error."""
    try:
        return as_json(run(name, *args, context=context))
    except BuiltinError as err:
        return (err.message, err.code)


def rego_text(value: Any) -> str:
    """A value as Rego source."""
    if isinstance(value, RegoSet):
        items = value.ordered()
        return "{" + ", ".join(map(rego_text, items)) + "}" if items else "set()"
    if isinstance(value, dict):
        pairs = [f"{rego_text(k)}: {rego_text(v)}" for k, v in plain_items(value)]
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(rego_text, value)) + "]"
    if type_name(value) == "number":
        return str(value)
    return json.dumps(value)


TEXTS = json.loads((Path(__file__).parent / "data" / "texts.json").read_text(encoding="utf-8"))


def decode(value: Any) -> Any:
    """A value as recorded in ``data/*.jsonl``."""
    if isinstance(value, list):
        return [decode(v) for v in value]
    if isinstance(value, dict):
        if list(value) == ["$set"]:
            return RegoSet(decode(v) for v in value["$set"])
        if list(value) == ["$text"]:
            return TEXTS[value["$text"]]
        return {k: decode(v) for k, v in value.items()}
    return value


def as_json(value: Any) -> Any:
    """A value as OPA prints it in JSON: sets as sorted arrays."""
    if isinstance(value, RegoSet):
        return [as_json(v) for v in value.ordered()]
    if isinstance(value, dict):
        return {
            k if isinstance(k, str) else rego_text(k): as_json(v) for k, v in plain_items(value)
        }
    if isinstance(value, list):
        return [as_json(v) for v in value]
    return value


class Opa:
    """The real OPA, asked for many calls at once."""

    def __init__(self, binary: str) -> None:
        self.binary = binary

    def answers(self, calls: Iterable[tuple[str, list[Any]]], folder: Path) -> list[Any]:
        """The answer of every call; (message, code) where OPA reports an error, UNDEFINED if none.

        One call a line, in a function, so that the type checker knows nothing of the
        arguments and an error can be told by its row.
        """
        listed = list(calls)
        lines = ["package t"]
        for index, (name, args) in enumerate(listed):
            shown = ", ".join(f"a[{n}]" for n in range(len(args)))
            lines.append(f"f{index}(a) := {name}({shown})")
        for index, (_, args) in enumerate(listed):
            lines.append(f"c{index} := f{index}({rego_text(args)})")
        module = folder / "calls.rego"
        module.write_text("\n".join(lines) + "\n", encoding="utf-8")
        done = subprocess.run(
            [self.binary, "eval", "-f", "json", "--show-builtin-errors", "-d", module, "data.t"],
            capture_output=True,
            text=True,
            check=False,
        )
        found = json.loads(done.stdout)
        errors = {e["location"]["row"]: e for e in found.get("errors", [])}
        if not found.get("result"):
            raise AssertionError(done.stdout)
        values = found["result"][0]["expressions"][0]["value"]
        answers: list[Any] = []
        for index in range(len(listed)):
            error = errors.get(2 + index)
            if f"c{index}" in values:
                answers.append(values[f"c{index}"])
            elif error is not None:
                answers.append((error["message"].partition(": ")[2], error["code"]))
            else:
                answers.append(UNDEFINED)
        return answers


@pytest.fixture(scope="session")
def opa() -> Opa:
    binary = os.environ.get("OPA_BIN") or shutil.which("opa")
    if not binary:
        pytest.skip("no opa on the path and none in OPA_BIN")
    return Opa(binary)


@pytest.fixture(scope="session", autouse=True)
def _families() -> None:
    for family in FAMILIES:
        importlib.import_module(f"adjudge.rego.builtins.{family}")


@pytest.fixture
def plain_outcome() -> Callable[..., Any]:
    return outcome


@pytest.fixture(scope="session")
def decoded() -> Callable[[Any], Any]:
    return decode


@pytest.fixture
def context() -> Callable[..., Context]:
    return Context


@pytest.fixture
def call() -> Callable[..., Any]:
    return run
