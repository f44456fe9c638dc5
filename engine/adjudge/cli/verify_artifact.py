"""``adjudge verify-artifact``: whether a file or model is signed by whom one trusts."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from adjudge.cli.options import filled, format_option
from adjudge.cli.terminal import watching
from adjudge.cli.trust_options import trust_options

if TYPE_CHECKING:
    from adjudge.documents.hashing import Progress
    from adjudge.documents.model import Document
    from adjudge.documents.reading import Source
    from adjudge.trust import TrustSettings

PATIENCE_S = 0.5
"""How long a person waits before the progress bar appears."""

_PATH = click.Path(path_type=Path)
_MAX_FILES = 200_000


@click.command(
    "verify-artifact",
    epilog="""\b
Examples:
  adjudge verify-artifact model.safetensors --key cosign.pub
  adjudge verify-artifact model/ --identity release@acme.example \\
      --issuer https://accounts.example --ignore-path README.md
  adjudge verify-artifact app.tar.gz --bundle app.sigstore.json --format json \\
      --identity-regex 'https://github.com/acme/.*' \\
      --issuer https://token.actions.githubusercontent.com \\
      --source-repository https://github.com/acme/app

\b
Exit codes: 0 verified, 1 not verified, 2 the input cannot be used.
""",
)
@click.argument("artifact", type=_PATH, metavar="FILE|DIR")
@click.option(
    "--bundle",
    type=_PATH,
    metavar="FILE",
    help="The signature (default: what stands beside or in the artifact by name).",
)
@trust_options
@click.option("--source-repository", callback=filled, metavar="URI", help="Of the keyless build.")
@click.option("--source-ref", callback=filled, metavar="REF", help="Of the keyless build.")
@click.option(
    "--workflow", callback=filled, metavar="URI", help="Of the keyless build, with or without @ref."
)
@click.option(
    "--tsa",
    "authorities_of_time",
    multiple=True,
    type=_PATH,
    metavar="FILE",
    help="Certificates of a timestamp authority to believe. Repeatable.",
)
@click.option(
    "--threshold",
    type=click.IntRange(1, 100),
    default=1,
    show_default=True,
    help="How many distinct keys must have signed.",
)
@click.option(
    "--ignore-path",
    "ignored",
    multiple=True,
    callback=filled,
    metavar="PATH",
    help="A file or folder in the directory that need not be signed. Repeatable.",
)
@click.option("--max-age", callback=filled, metavar="AGE", help="Such as 24h, 30d or 8w.")
@click.option("--as-of", callback=filled, metavar="TIME", help="The time of judgement.")
@format_option
def command(
    artifact: Path,
    bundle: Path | None,
    source_repository: str | None,
    source_ref: str | None,
    workflow: str | None,
    authorities_of_time: tuple[Path, ...],
    threshold: int,
    ignored: tuple[str, ...],
    max_age: str | None,
    as_of: str | None,
    format_: str,
    **whom: Any,
) -> int:
    """Verify the signatures of FILE, or of a model in DIR: who signed, when, and what of it."""
    from adjudge.cli.trust_options import trust
    from adjudge.cli.verify_artifact_report import Findings, show
    from adjudge.decision.times import parse_time

    now = parse_time(as_of) if as_of else None
    source = {"source_repository": source_repository, "source_ref": source_ref}
    settings = _settings(
        trust(as_of_ns=now, **whom).settings,
        source | {"workflow": workflow},
        timestamp_authorities=authorities_of_time,
        threshold=threshold,
    )
    _read_all(settings)
    with _progress() as progress:
        document = _load(artifact, bundle, settings, progress)
    findings = Findings(document, ignored, _age(max_age), settings.as_of)
    if format_ == "json":
        click.echo(json.dumps(findings.as_document(), indent=2, ensure_ascii=True))
    else:
        show(findings)
    return 0 if findings.verified else 1


def _settings(settings: TrustSettings, source: dict[str, str | None], **more: Any) -> TrustSettings:
    """What the options of this command add to those that say whom to trust."""
    from datetime import UTC, datetime

    from adjudge.errors import UsageError

    required = {key: value for key, value in source.items() if value is not None}
    if required and not settings.identities:
        raise UsageError(
            "source_without_identity",
            "only the certificate of a keyless signer says what a build was made from",
            hint="add --identity or --identity-regex, and --issuer",
        )
    identities = tuple(replace(rule, **required) for rule in settings.identities)
    return replace(
        settings, identities=identities, as_of=settings.as_of or datetime.now(UTC), **more
    )


def _read_all(settings: TrustSettings) -> None:
    """Refuse files of the operator that cannot be used before any work is done."""
    from adjudge.trust import Trust

    given = Trust(settings)
    for name in ("keys", "certificate_roots", "timestamp_authorities", "trusted_root"):
        getattr(given, name)


def _age(text: str | None) -> int | None:
    from adjudge.cli.options import age_seconds

    return None if text is None else age_seconds(text)


def _load(
    artifact: Path, bundle: Path | None, settings: TrustSettings, progress: Progress | None
) -> Document:
    from adjudge.documents.model import Limits
    from adjudge.documents.signed_artifact import artifact_of, load

    source = _source(artifact)
    if bundle is None and source.type() == "file" and artifact_of(source) is not None:
        return load(source, Limits(max_files=_MAX_FILES), settings, None, progress)
    signature = None if bundle is None else _bundle(bundle, source)
    return load(source, Limits(max_files=_MAX_FILES), settings, signature, progress)


def _source(path: Path) -> Source:
    """The artifact below the folder it stands in; a link that somebody names is followed."""
    from adjudge.documents.reading import Source

    real = path.resolve()
    return Source(real.parent, real.name or ".")


def _bundle(path: Path, artifact: Source) -> Source:
    """The signature: below the artifact's folder when it stands there, else below its own."""
    from adjudge.documents.reading import Source

    real = path.resolve()
    inside = real.is_relative_to(artifact.root)
    found = (
        Source(artifact.root, real.relative_to(artifact.root).as_posix())
        if inside
        else Source(real.parent, real.name)
    )
    found.open().close()
    return found


@contextmanager
def _progress() -> Iterator[Progress | None]:
    """A bar on standard error while a person waits for hashing; it leaves no trace."""
    if not watching():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    bar = Progress(
        TextColumn("hashing"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    line = bar.add_task("", total=None)
    patience = threading.Timer(PATIENCE_S, bar.start)
    patience.start()
    try:
        yield lambda done, total: bar.update(line, completed=done, total=total)
    finally:
        patience.cancel()
        patience.join()
        bar.stop()
