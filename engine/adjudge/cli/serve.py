"""``adjudge serve``: policies behind OPA's data API."""

from __future__ import annotations

import gc
from pathlib import Path

import click

from adjudge.errors import UsageError


@click.command(
    "serve",
    epilog="""\b
Examples:
  adjudge serve --policies policies/
  adjudge serve --policies policies/ --data tenants.json --addr 0.0.0.0:8181
  curl localhost:8181/v1/data/app/allow -d '{"input": {"user": "x"}}'
""",
)
@click.option("-p", "--policies", multiple=True, required=True, metavar="DIR|FILE")
@click.option("-d", "--data", multiple=True, metavar="FILE", help="Base documents.")
@click.option("--addr", default="127.0.0.1:8181", show_default=True, metavar="HOST:PORT")
@click.option(
    "--log",
    default="adjudge.db",
    show_default=True,
    type=click.Path(path_type=Path),
    help="The decision log (SQLite).",
)
@click.option("--no-log", is_flag=True, help="Log no decisions.")
def command(
    policies: tuple[str, ...], data: tuple[str, ...], addr: str, log: Path, no_log: bool
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
    from adjudge.ledger import DecisionLog
    from adjudge.policyset import load_policy_set

    host, _, port = addr.rpartition(":")
    if not port.isdigit() or not 0 <= int(port) < 65536:
        raise click.BadParameter("HOST:PORT is expected", param_hint="--addr")
    loaded = load_policy_set(policies, data=[Path(d) for d in data])
    point = DecisionPoint(
        {m.file: m for m in loaded.modules},
        loaded.data,
        name=loaded.name,
        digest=loaded.digest,
    )
    gc.enable()
    store = None if no_log else DecisionLog(log)
    recorder = None
    if store is not None:
        recorder = Recorder(store.append, lambda text: click.echo(f"error: {text}", err=True))
    click.echo(
        f"serving {len(loaded.modules)} modules on http://{host or '127.0.0.1'}:{port}", err=True
    )
    uvicorn.run(
        create_app(point, recorder),
        host=host or "127.0.0.1",
        port=int(port),
        log_level="warning",
        timeout_graceful_shutdown=10,
    )
    if store is not None:
        store.close()
    return 0
