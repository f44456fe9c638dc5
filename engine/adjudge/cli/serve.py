"""``adjudge serve``: policies behind OPA's data API."""

from __future__ import annotations

import gc
import re
import signal
import socket
from pathlib import Path

import click

from adjudge.cli.engines import EngineChoice, engine_options
from adjudge.cli.options import filled
from adjudge.errors import UsageError

STOP_SECONDS = 10
"""How long requests that are being answered may take when the service stops."""

BACKLOG = 2048
"""Connections that wait to be accepted."""


@click.command(
    "serve",
    epilog="""\b
Examples:
  adjudge serve --policies policies/
  adjudge serve --policies policies/ --data tenants.json --addr 0.0.0.0:8181
  curl localhost:8181/v1/data/app/allow -d '{"input": {"user": "x"}}'
""",
)
@click.option(
    "-p",
    "--policies",
    multiple=True,
    required=True,
    callback=filled,
    metavar="DIR|FILE|NAME",
    help="Policies to serve. Repeatable.",
)
@click.option(
    "-d",
    "--data",
    multiple=True,
    callback=filled,
    metavar="FILE",
    help="Base documents. Repeatable.",
)
@click.option(
    "--addr",
    default="127.0.0.1:8181",
    show_default=True,
    metavar="HOST:PORT",
    help="Where to listen; port 0 takes a free one.",
)
@click.option(
    "--ledger",
    "--log",
    default="adjudge.db",
    show_default=True,
    callback=filled,
    metavar="URL",
    help="The ledger that decisions go to: a file, or postgresql://... .",
)
@click.option(
    "--ledger-tenant",
    default="default",
    show_default=True,
    metavar="NAME",
    help="Whose log of the ledger.",
)
@click.option(
    "--require-log",
    is_flag=True,
    help="Answer only what is in the ledger already; without it, answers do not wait.",
)
@click.option("--no-log", is_flag=True, help="Log no decisions.")
@engine_options
def command(
    policies: tuple[str, ...],
    data: tuple[str, ...],
    addr: str,
    ledger: str,
    ledger_tenant: str,
    require_log: bool,
    no_log: bool,
    engine: EngineChoice,
) -> int:
    """Answer queries over HTTP until interrupted; stops gracefully on SIGTERM and SIGINT."""
    try:
        import uvicorn

        from adjudge.service import DecisionPoint, create_app
        from adjudge.service.recorder import Recorder
    except ModuleNotFoundError as e:
        raise UsageError(
            "extra_missing",
            f"the service needs {e.name}",
            hint="pip install 'adjudge[service]'",
        ) from None
    from adjudge.ledger import Ledger
    from adjudge.policyset import load_policy_set

    if require_log and no_log:
        raise click.UsageError("--require-log and --no-log exclude each other")
    loaded = load_policy_set(policies, data=[Path(d) for d in data])
    point = DecisionPoint(
        {m.file: m for m in loaded.modules},
        loaded.data,
        name=loaded.name,
        digest=loaded.digest,
        engine=click.get_current_context().with_resource(engine.documents(loaded)),
    )
    sockets = _listen(addr)
    gc.enable()
    store = None if no_log else Ledger.open(ledger, tenant=ledger_tenant, create=True)
    recorder = None
    if store is not None:
        recorder = Recorder(
            store.append_decisions,
            lambda text: click.echo(f"error: {text}", err=True),
            required=require_log,
        )
    config = uvicorn.Config(
        create_app(point, recorder),
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    server = uvicorn.Server(config)
    # uvicorn puts its own handlers in place of these while it runs, and afterwards hands the
    # signals it got to these: they must not end the process before the log is closed.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, server.handle_exit)
    places = " and ".join(f"http://{_shown(s)}" for s in sockets)
    click.echo(f"serving {len(loaded.modules)} modules on {places}", err=True)
    server.run(sockets=sockets)
    if recorder is not None and store is not None:
        recorder.close()
        store.close()
    click.echo("stopped", err=True)
    return 0


def _listen(addr: str) -> list[socket.socket]:
    """Sockets for every address that ``HOST:PORT`` stands for.

    Raises UsageError ``address_invalid``, ``address_unavailable``.
    """
    host, colon, port = addr.rpartition(":")
    if not colon or not re.fullmatch("[0-9]{1,5}", port) or int(port) > 65535:
        raise UsageError(
            "address_invalid",
            f"{addr[:100]!r} is no address to listen on",
            hint="write HOST:PORT, such as 127.0.0.1:8181 or [::1]:8181",
        )
    host = host.removeprefix("[").removesuffix("]") or "127.0.0.1"
    found: list[socket.socket] = []
    try:
        known = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)
        for family, address in dict.fromkeys((k[0], k[4][:2]) for k in known):
            found.append(socket.create_server(address, family=family, backlog=BACKLOG))
    except (OSError, UnicodeError) as error:
        for one in found:
            one.close()
        # socket adds the address to the text of the error; it is in ours already.
        why = (getattr(error, "strerror", None) or str(error)).partition(" (while")[0]
        raise UsageError(
            "address_unavailable",
            f"cannot listen on {addr[:100]}: {why}",
            hint="name another address with --addr, or stop what listens there",
        ) from None
    return found


def _shown(listening: socket.socket) -> str:
    """The address of a socket, with the port that it got."""
    host, port = listening.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
