"""``make demo``: judge a broken release and a good one, as a person would on the command line."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from adjudge.cli import main

EXAMPLES = Path(__file__).resolve().parent
ORGANISATION = EXAMPLES / "organisation"
TRUST = ["--trust", str(ORGANISATION / "trust.yaml"), "--data", str(ORGANISATION / "settings.yaml")]


def judge(folder: str, *, expected: int) -> bool:
    """Run ``adjudge check`` on one example; whether it came out as it should."""
    argv = ["check", str(EXAMPLES / folder), *TRUST]
    shown = [Path(a).relative_to(Path.cwd()) if Path(a).is_absolute() else a for a in argv]
    print(f"$ adjudge {shlex.join(map(str, shown))}\n", flush=True)
    code = main(argv)
    print(f"\nexit code {code}\n", flush=True)
    return code == expected


def run() -> int:
    """Show a denied and an allowed release; 0 when both came out as they should."""
    denied = judge("support-assistant-broken", expected=1)
    allowed = judge("support-assistant", expected=0)
    if not (denied and allowed):
        print("the examples did not come out as they should", file=sys.stderr)
        return 1
    print("Next: docs/tutorials/first-release.md")
    return 0


if __name__ == "__main__":
    sys.exit(run())
