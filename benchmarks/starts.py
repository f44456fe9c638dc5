"""How long policies take to start, the first time and again: ``benchmarks/results/starts.md``.

Each start is a process of its own; the first finds an empty cache, the others what it kept.
Times are the processor's: what else the machine does is not counted.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.cases import indexed
from benchmarks.tables import duration

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Policies:
    """Modules by name, and what is asked of them."""

    name: str
    modules: dict[str, str]
    query: str
    input: Any

    @property
    def lines(self) -> int:
        """Lines of Rego."""
        return sum(text.count("\n") for text in self.modules.values())


def shipped() -> Policies:
    """The Rego of the shipped policies, their tests included; everything is evaluated."""
    folder = ROOT / "policies"
    files = sorted(folder.rglob("*.rego"))
    modules = {str(f.relative_to(ROOT)): f.read_text(encoding="utf-8") for f in files}
    return Policies("the shipped policies and their tests", modules, "x := data.adjudge", {})


def clauses() -> Policies:
    """One rule of 1,000 clauses."""
    case = indexed(1000)
    modules = {"policy.rego": case.policy}
    return Policies("1,000 clauses of one rule", modules, "x := data.indexed.deny", case.input)


def named(count: int = 1000) -> Policies:
    """So many rules of different names; all are evaluated."""
    rules = "\n".join(
        f"deny_{n} contains msg if {{\n"
        "\tsome component in input.components\n"
        f'\tcomponent.kind == "kind-{n}"\n'
        f"\tcomponent.size > {n % 7}\n"
        f'\tmsg := sprintf("%s is of kind {n}", [component.name])\n'
        "}\n"
        for n in range(count)
    )
    document = {"components": [{"kind": "kind-7", "size": 10, "name": "a"}]}
    return Policies(
        f"{count:,} rules", {"p.rego": f"package p\n\n{rules}"}, "x := data.p", document
    )


def table(runs: int) -> str:
    """A Markdown table, a row for each set of policies."""
    rows = [
        "| policies | lines | first start | lines a second | second start "
        "| imports before it | evaluated again | peak memory |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    rows += [_row(policies, runs) for policies in (clauses(), named(), shipped())]
    return "\n".join(rows)


def _row(policies: Policies, runs: int) -> str:
    case = {"modules": policies.modules, "query": policies.query, "input": policies.input}
    document = json.dumps(case)
    cold: list[dict[str, Any]] = []
    warm: list[dict[str, Any]] = []
    for _ in range(runs):
        first, *others = _starts(document, 1 + runs)
        cold.append(first)
        warm.extend(others)
    if not all(s["compiled"] for s in cold) or any(s["compiled"] for s in warm):
        raise RuntimeError(f"{policies.name}: the cache was not used as it should be")
    start = _best(cold, "start_ns")
    return (
        f"| {policies.name} | {policies.lines:,} | {duration(start)} "
        f"| {policies.lines / start * 1e9:,.0f} "
        f"| {duration(_best(warm, 'start_ns'))} "
        f"| {duration(_best(warm, 'imports_ns'))} "
        f"| {duration(_best(warm, 'again_ns'))} "
        f"| {median(s['peak_kb'] or 0 for s in cold) / 1024:.0f} MB |"
    )


def _best(starts: list[dict[str, Any]], key: str) -> int:
    return min(int(start[key]) for start in starts)


def _starts(document: str, count: int) -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as home:
        environ = {**os.environ, "HOME": home, "ADJUDGE_CACHE_DIR": f"{home}/cache"}
        environ.pop("XDG_STATE_HOME", None)
        for _ in range(count):
            done = subprocess.run(
                (sys.executable, "-m", "benchmarks.start"),
                input=document,
                capture_output=True,
                text=True,
                check=False,
                cwd=ROOT,
                env=environ,
            )
            if done.returncode != 0:
                raise RuntimeError(done.stderr.strip()[-1000:])
            yield json.loads(done.stdout)
