"""One set of policies in on standard input, the processor time until the first answer out.

Reads ``modules``, ``query`` and ``input`` as JSON; compiles through the cache that the
environment names, as the commands do, and writes ``imports_ns`` (everything before),
``start_ns`` (from there to the first answer), ``again_ns`` (a second evaluation),
``compiled`` (whether the compiler ran) and ``peak_kb``.
"""

from __future__ import annotations

import json
import os
import sys
import time

from adjudge import cache
from adjudge.policyset import programs
from benchmarks.runner import peak_kb


def main() -> int:
    """Measure the policies on standard input."""
    case = json.load(sys.stdin)
    cache.allow(os.environ)
    start = time.process_time_ns()
    program = programs.compiled(case["modules"])
    query = program.prepare(case["query"])
    query.eval(case["input"])
    first = time.process_time_ns()
    query.eval(case["input"])
    again = time.process_time_ns()
    compiled = program.grown
    programs.keep()
    answer = {
        "imports_ns": start,
        "start_ns": first - start,
        "again_ns": again - first,
        "compiled": compiled,
        "peak_kb": peak_kb(),
    }
    json.dump(answer, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
