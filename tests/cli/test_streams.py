"""Real processes: pipes that close, disks that are full, signals, terminals."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.conftest import Result, Run, write

Start = Callable[..., "subprocess.Popen[bytes]"]

SLOW = """package slow

# METADATA
# custom: {id: SLOW, applies_to: model_card}
deny contains "x" if {
    some a in numbers.range(1, 100000)
    some b in numbers.range(1, 100000)
    a * b == -1
}
"""
CHECK = ("check", "release", "-p", "policies")
BIG = ("eval", "numbers.range(1, 100000)")


def test_a_reader_that_goes_away(start: Start) -> None:
    """``| head``: no complaint, and never the code that says denied."""
    running = start(*BIG)
    assert running.stdout is not None
    assert running.stdout.read(1) == b"{"
    running.stdout.close()
    assert running.stderr is not None
    assert running.stderr.read() == b""
    assert running.wait(timeout=30) == 2


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
def test_a_full_disk(process: Run) -> None:
    with open("/dev/full", "wb") as full:
        result = process(*CHECK, stdout=full)
    assert (result.code, result.err) == (
        2,
        "error: io_failed: [Errno 28] No space left on device\n",
    )
    with open("/dev/full", "wb") as full:
        assert process("check", "nowhere", stderr=full).code == 2


def test_closed_streams(process: Run, work: Path) -> None:
    """What is opened next takes their place: it must not get what was meant for them."""
    script = 'exec "$0" "$@" >&- 2>&-'
    program = os.path.join(os.path.dirname(os.sys.executable), "adjudge")  # type: ignore[attr-defined]
    words = ["sh", "-c", script, program, "check", "bad", "-p", "policies", "-o", "json=out"]
    done = subprocess.run([*words, "--log", "log.db"], cwd=work, timeout=60)
    assert done.returncode == 1
    assert (work / "out").read_text().startswith("{")
    assert process("report", "--log", "log.db").json["outcomes"]["deny"] == 1


def test_terminals_that_are_not_utf8(process: Run, work: Path) -> None:
    encoding = "ascii"
    write(work, {"policies/u.rego": 'package u\n\nwarn contains "ünï ☃"\n'})
    result = process(*CHECK, env={"PYTHONIOENCODING": encoding})
    assert result.code == 0
    assert "internal error" not in result.err
    assert process("explain", "☃", env={"PYTHONIOENCODING": encoding}).err.startswith("error: ")


def test_an_interrupt_ends_it_at_once(start: Start, work: Path) -> None:
    write(work, {"slow.rego": SLOW})
    running = start("check", "release", "-p", "slow.rego", "-o", "json=out")
    time.sleep(1.5)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=30)
    assert (running.returncode, out) == (2, b"")
    assert err.decode().strip() == "interrupted"
    assert not (work / "out").exists()
    assert not list(work.glob(".adjudge*"))


# --- a terminal -----------------------------------------------------------------------------------


def on_a_terminal(start: Start, *words: str, **environ: str) -> Result:
    """Runs a command with a terminal of 80 columns for its output and errors."""
    main, other = pty.openpty()
    import fcntl
    import struct
    import termios

    fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 80, 0, 0))
    env = {"TERM": "xterm-256color", **environ}
    running = start(*words, stdout=other, stderr=other, stdin=other, env=env)
    os.close(other)
    seen = b""
    while True:
        ready, _, _ = select.select([main], [], [], 60)
        try:
            chunk = os.read(main, 65536) if ready else b""
        except OSError:  # how Linux says that the other end is closed
            break
        if not chunk:
            break
        seen += chunk
    os.close(main)
    return Result(running.wait(timeout=30), seen.decode(), "")


def test_a_terminal_gets_color_and_its_width(start: Start) -> None:
    result = on_a_terminal(start, "check", "bad", "-p", "policies")
    assert result.code == 1
    assert "\x1b[1;97" in result.out or "\x1b[1;38" in result.out or "\x1b[1;37" in result.out
    rules = [line for line in result.out.splitlines() if "────" in line]
    assert rules
    assert all(line.count("─") == 80 for line in rules)
    dumb = on_a_terminal(start, "check", "bad", "-p", "policies", TERM="dumb")
    assert "\x1b" not in dumb.out


def test_a_person_who_waits_is_told_what_for(start: Start, work: Path) -> None:
    write(work, {"slow.rego": SLOW})
    words = ("check", "release", "-p", "slow.rego", "--timeout", "1.5")
    waiting = on_a_terminal(start, *words)
    assert waiting.code == 1
    assert "rules" in waiting.out
    assert "━" in waiting.out
    # The line is wiped before the result is shown.
    shown = waiting.out.rpartition("━")[2]
    assert "\x1b[2K" in shown
    assert "DENIED" in shown
    assert "━" not in on_a_terminal(start, *words, "--quiet").out


def test_errors_fit_the_terminal(start: Start, work: Path) -> None:
    write(work, {"x.json": "[" * 1000})
    result = on_a_terminal(start, "check", "x.json", "--raw", "-p", "policies", NO_COLOR="1")
    assert result.code == 2
    lines = result.out.splitlines()
    assert lines[0].startswith("error: x.json:1:129: json_too_deep")
    assert len(lines[1]) <= 80
    assert lines[1][lines[2].index("^")] == "["
