"""``python -m tests.conformance FILE.jsonl``: run the cases, list failures, count."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

from tests.conformance.cases import judge, read_cases


def main(argv: list[str]) -> int:
    """Run; the exit code is 1 when a case fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--category", help="only cases of this category")
    parser.add_argument("--note", help="only cases whose note contains this")
    parser.add_argument("--summary", action="store_true", help="count failures by category")
    args = parser.parse_args(argv)
    passed = failed = 0
    by_category: Counter[str] = Counter()
    for case in read_cases(args.file):
        if args.category and case.get("category") != args.category:
            continue
        if args.note and args.note not in case["note"]:
            continue
        verdict = judge(case)
        if verdict.passed:
            passed += 1
            continue
        failed += 1
        by_category[case.get("category", "")] += 1
        if not args.summary:
            print(f"FAIL {case['note']}: {verdict.problem}")
    for category, count in by_category.most_common():
        if args.summary:
            print(f"{count:5} {category}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
