"""The command line: arguments in, exit codes 0 (allow), 1 (deny) and 2 (no verdict) out."""

from __future__ import annotations

import gc
import os
import shutil
import sys
from collections.abc import Sequence
from typing import TextIO

from adjudge import cache
from adjudge.errors import WIDTH, AdjudgeError

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code; the console script's entry point.

    Nothing but an exit code and text comes out: expected errors are printed with their
    place and hint, unexpected ones in one line (``ADJUDGE_DEBUG=1`` shows the traceback).
    """
    if argv is None:
        # A process of its own allocates much and frees little; looking for cycles would only
        # cost time.  The service, which stays, turns it on again.
        gc.disable()
        cache.allow(os.environ)
        _prepare_streams()
    try:
        code = _run(list(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        _say("interrupted\n")
    except OSError as error:
        # What is read and written is watched where that happens; this is standard output.
        if not isinstance(error, BrokenPipeError):
            _complain(f"io_failed: {error}")
        _forget(sys.stdout)
    except Exception as error:
        if os.environ.get("ADJUDGE_DEBUG"):
            raise
        _complain(
            f"internal error: {type(error).__name__}: {error}\n"
            "  hint: this is a defect in adjudge; ADJUDGE_DEBUG=1 shows where"
        )
    finally:
        _keep_compiled()
    return 2


def _keep_compiled() -> None:
    """Keep what was compiled for the next start, if anything was: looking is not to load
    the compiler."""
    programs = sys.modules.get("adjudge.policyset.programs")
    if programs is not None:
        programs.keep()


def _run(arguments: list[str]) -> int:
    import click

    from adjudge.cli.app import app

    try:
        result = app.main(args=arguments, prog_name="adjudge", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as e:
        return e.exit_code
    except click.ClickException as e:
        e.show()
        return 2
    except click.Abort:
        raise KeyboardInterrupt from None
    except SystemExit as e:
        # How click ends after completing a word, and when nobody reads what it writes
        # (`| head`): then with the code that says denied.
        if e.code:
            raise BrokenPipeError from None
        return 0
    except AdjudgeError as e:
        _complain(e.render(_columns()))
        return 2


def _prepare_streams() -> None:
    """Make standard output and error such that writing to them never is a surprise.

    Closed ones lead nowhere, and what their encoding lacks is escaped.
    """
    sys.stdout = sys.stdout or _nowhere()
    sys.stderr = sys.stderr or _nowhere()
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")


def _forget(stream: TextIO) -> None:
    """Leave nothing that would fail again when the interpreter writes out what is left."""
    if stream in (sys.__stdout__, sys.__stderr__):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _columns() -> int:
    """How wide source lines in errors may be."""
    if not sys.stderr.isatty():
        return WIDTH
    return shutil.get_terminal_size().columns


def _complain(text: str) -> None:
    from adjudge.cli.terminal import safe, watching
    from adjudge.exports.escape import defuse_commands

    color = watching() and not os.environ.get("NO_COLOR")
    begin, end = ("\x1b[1;31m", "\x1b[0m") if color else ("", "")
    _say(f"{begin}error:{end} {defuse_commands(safe(text))}\n")


def _say(text: str) -> None:
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        _forget(sys.stderr)  # there is nowhere else to say it; the exit code speaks
