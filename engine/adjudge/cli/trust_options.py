"""Options that say whom to trust, for commands that verify signatures by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from adjudge.errors import UsageError

if TYPE_CHECKING:
    from adjudge.trust import Trust

Command = TypeVar("Command", bound=Callable[..., Any])

_PATH = click.Path(path_type=Path)

_OPTIONS = (
    click.option(
        "--key", "keys", multiple=True, type=_PATH, metavar="FILE", help="A trusted public key."
    ),
    click.option(
        "--identity", metavar="NAME", help="The keyless signer: mail address or URI, exactly."
    ),
    click.option(
        "--identity-regex", metavar="RE2", help="The same as a pattern for the whole name."
    ),
    click.option("--issuer", metavar="URL", help="Who vouches for that signer, exactly."),
    click.option(
        "--ca",
        "authorities",
        multiple=True,
        type=_PATH,
        metavar="FILE",
        help="A trusted private certificate authority.",
    ),
    click.option(
        "--san",
        "names",
        multiple=True,
        metavar="NAME",
        help="A name its certificates may be for (default: any).",
    ),
    click.option(
        "--trusted-root",
        type=_PATH,
        metavar="FILE",
        help="A Sigstore trusted root (default: the production root that is shipped).",
    ),
)


def trust_options(command: Command) -> Command:
    """Adds the options to a command, which takes them as keyword arguments for :func:`trust`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def trust(
    *,
    keys: tuple[Path, ...],
    identity: str | None,
    identity_regex: str | None,
    issuer: str | None,
    authorities: tuple[Path, ...],
    names: tuple[str, ...],
    trusted_root: Path | None,
    as_of_ns: int | None = None,
) -> Trust:
    """Whom the options name.  ``as_of_ns`` is the time of judgement.

    Raises :class:`UsageError` ``nobody_trusted``, ``issuer_missing``, ``identity_missing``;
    InputError for files that cannot be used.
    """
    from datetime import UTC, datetime

    from adjudge.trust import SignerIdentity, Trust, TrustSettings

    named = identity is not None or identity_regex is not None
    if named and not issuer:
        raise UsageError(
            "issuer_missing",
            "an identity means something only together with who vouches for it",
            hint="add --issuer, such as https://token.actions.githubusercontent.com",
        )
    if issuer and not named:
        raise UsageError(
            "identity_missing",
            "everybody with an account there has the same issuer",
            hint="add --identity or --identity-regex",
        )
    if not (keys or named or authorities):
        raise UsageError(
            "nobody_trusted",
            "nothing says whose signature counts",
            hint="give --key FILE, or --identity NAME --issuer URL, or --ca FILE",
        )
    identities = (SignerIdentity(issuer or "", identity, identity_regex),) if named else ()
    settings = TrustSettings(
        trusted_root=trusted_root,
        identities=identities,
        keys=keys,
        certificate_roots=authorities,
        certificate_names=names,
        as_of=None if as_of_ns is None else datetime.fromtimestamp(as_of_ns / 1e9, UTC),
    )
    return Trust(settings)
