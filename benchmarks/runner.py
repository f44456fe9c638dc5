"""One case in on standard input, adjudge's times and result out (see ``peers``)."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from adjudge.rego import compile_modules


def main() -> int:
    """Measure the case on standard input."""
    case = json.load(sys.stdin)
    start = time.thread_time_ns()
    program = compile_modules(case["modules"], data=case["data"])
    rule = program.rule(f"data.{case['rule']}")
    compile_ns = time.thread_time_ns() - start
    document, rounds = case["input"], range(case["rounds"])
    result: Any = rule.eval(document)
    samples = []
    for _ in range(case["samples"]):
        start = time.thread_time_ns()
        for _ in rounds:
            result = rule.eval(document)
        samples.append((time.thread_time_ns() - start) // len(rounds))
    answer = {
        "compile_ns": compile_ns,
        "samples_ns": samples,
        "result": result,
        "peak_kb": peak_kb(),
    }
    json.dump(answer, sys.stdout)
    return 0


def peak_kb() -> int | None:
    """The most memory this process ever held, where the system tells."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return None
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    return None


if __name__ == "__main__":
    sys.exit(main())
