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
    import click

    from adjudge.cli.app import app
    from adjudge.errors import AdjudgeError

    if argv is None:
        # A process of its own allocates much and frees little; looking for cycles would only
        # cost time.  The service, which stays, turns it on again.
        gc.disable()
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        result = app.main(args=arguments, prog_name="adjudge", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as e:
        return e.exit_code
    except click.ClickException as e:
        e.show()
        return 2
    except click.Abort:
        click.echo("interrupted", err=True)
        return 2
    except AdjudgeError as e:
        _complain(e.render())
        return 2
    except BrokenPipeError:
        # The reader went away (`| head`); there is nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 2
    except KeyboardInterrupt:
        click.echo("interrupted", err=True)
        return 2
    except Exception as e:
        if os.environ.get("ADJUDGE_DEBUG"):
            raise
        _complain(
            f"internal error: {type(e).__name__}: {e}\n"
            "  hint: this is a defect in adjudge; ADJUDGE_DEBUG=1 shows where"
        )
        return 2


def _complain(text: str) -> None:
    from adjudge.cli.terminal import safe

    sys.stderr.write(f"error: {safe(text)}\n")
