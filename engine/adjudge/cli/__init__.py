"""The command line: arguments in, exit codes 0 (allow), 1 (deny) and 2 (no verdict) out."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence

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
        _spell_what_cannot_be_written()
    try:
        return _run(list(sys.argv[1:] if argv is None else argv))
    except BrokenPipeError:
        # The reader went away (`| head`); there is nobody to tell, now or at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return 2
    except Exception as error:
        if os.environ.get("ADJUDGE_DEBUG"):
            raise
        _complain(
            f"internal error: {type(error).__name__}: {error}\n"
            "  hint: this is a defect in adjudge; ADJUDGE_DEBUG=1 shows where"
        )
        return 2


def _run(arguments: list[str]) -> int:
    import click

    from adjudge.cli.app import app
    from adjudge.errors import AdjudgeError

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
    except AdjudgeError as e:
        _complain(e.render())
        return 2


def _spell_what_cannot_be_written() -> None:
    """A terminal that is not UTF-8 shows escapes instead of stopping the program."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _complain(text: str) -> None:
    from adjudge.cli.terminal import safe
    from adjudge.exports.escape import defuse_commands

    sys.stderr.write(defuse_commands(f"error: {safe(text)}\n"))
