"""``python -m benchmarks``: adjudge against OPA, the same cases in one run, as ratios.

OPA (the real one) runs in-process in a small Go program built from ``benchmarks/opa``;
without Go only adjudge is measured.  Every result is checked for equality first.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from adjudge.rego import compile_modules
from benchmarks.cases import CASES, BenchCase

HERE = Path(__file__).parent


def main() -> int:
    """Run all cases and print a Markdown table."""
    peer = _build_peer()
    rows = []
    for make in CASES:
        case = make()
        ours = measure(case)
        theirs = _run_peer(peer, case) if peer else None
        if theirs is not None and _plain(theirs["result"]) != _plain(ours["result"]):
            print(f"{case.name}: the results differ", file=sys.stderr)
            return 1
        rows.append((case, ours, theirs))
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores; best of five samples\n")
    print("| case | adjudge compile | adjudge eval | OPA compile | OPA eval | OPA / adjudge |")
    print("|---|---:|---:|---:|---:|---:|")
    for case, ours, theirs in rows:
        line = f"| {case.name} | {_time(ours['compile_ns'])} | {_time(ours['eval_ns'])} "
        if theirs is None:
            print(line + "| | | |")
        else:
            ratio = theirs["eval_ns"] / ours["eval_ns"]
            print(
                line + f"| {_time(theirs['compile_ns'])} | {_time(theirs['eval_ns'])} "
                f"| {ratio:.1f} × |"
            )
    return 0


def measure(case: BenchCase) -> dict[str, Any]:
    """Compile and evaluate one case with adjudge; times in nanoseconds."""
    start = time.perf_counter_ns()
    program = compile_modules({"policy.rego": case.policy}, data=case.data)
    compile_ns = time.perf_counter_ns() - start
    rule = program.rule(f"data.{case.rule}")
    best = sys.maxsize
    result = None
    for _ in range(5):
        start = time.perf_counter_ns()
        for _ in range(case.rounds):
            result = rule.eval(case.input)
        best = min(best, (time.perf_counter_ns() - start) // case.rounds)
    return {"compile_ns": compile_ns, "eval_ns": best, "result": result}


def _build_peer() -> Path | None:
    go = shutil.which("go")
    if go is None:
        print("no Go toolchain: OPA is not measured", file=sys.stderr)
        return None
    target = Path(tempfile.mkdtemp()) / "opa-bench"
    with tempfile.TemporaryDirectory() as work:
        copy = Path(work) / "opa"
        shutil.copytree(HERE / "opa", copy)
        for command in (["go", "mod", "tidy"], ["go", "build", "-o", str(target), "."]):
            done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                print(f"OPA is not measured: {done.stderr.strip()[-400:]}", file=sys.stderr)
                return None
    return target


def _run_peer(peer: Path, case: BenchCase) -> dict[str, Any]:
    document = {
        "policy": case.policy,
        "data": case.data,
        "input": case.input,
        "rule": case.rule,
        "rounds": case.rounds,
    }
    done = subprocess.run(
        [str(peer)], input=json.dumps(document), capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _plain(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _time(ns: float) -> str:
    if ns < 1e6:
        return f"{ns / 1e3:.1f} µs"
    return f"{ns / 1e6:.2f} ms"


if __name__ == "__main__":
    sys.exit(main())
