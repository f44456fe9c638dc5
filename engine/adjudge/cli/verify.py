"""``adjudge verify``: whether a signed decision is genuine, about this, by these policies."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from adjudge.cli.options import filled, format_option
from adjudge.cli.trust_options import trust_options

if TYPE_CHECKING:
    from adjudge.decision.model import Decision
    from adjudge.gate.attestation import Verdict

_PATH = click.Path(path_type=Path)
_BESIDE = (".intoto.jsonl", ".intoto.json", ".sigstore.json")


@click.command(
    "verify",
    epilog="""\b
Examples:
  adjudge verify decision.intoto.jsonl --key cosign.pub
  adjudge verify decision.json --attestation decision.intoto.jsonl --key key.pub
  adjudge verify decision.intoto.jsonl --release . --policies baseline --max-age 30d \\
      --identity https://github.com/acme/model/.github/workflows/gate.yml@refs/heads/main \\
      --issuer https://token.actions.githubusercontent.com

\b
Exit codes: 0 genuine and as expected, 1 not, 2 the input cannot be used.
""",
)
@click.argument("decision", type=_PATH)
@click.option(
    "--attestation",
    type=_PATH,
    metavar="FILE",
    help="The signed statements, when DECISION is a record (default: DECISION.intoto.jsonl).",
)
@trust_options
@click.option("--verifier-id", callback=filled, metavar="URI", help="Who must have verified.")
@click.option(
    "--release",
    multiple=True,
    callback=filled,
    metavar="PATH",
    help="What is at hand: a folder or files, as given to check. Repeatable.",
)
@click.option("--manifest", type=_PATH, help="The manifest of that release.")
@click.option(
    "-p",
    "--policies",
    multiple=True,
    callback=filled,
    metavar="DIR|FILE|NAME",
    help="The policies that must have decided. Repeatable.",
)
@click.option("--policy-digest", callback=filled, metavar="SHA256", help="The same by digest.")
@click.option("--max-age", callback=filled, metavar="AGE", help="Such as 24h, 30d or 8w.")
@click.option("--as-of", callback=filled, metavar="TIME", help="The time of judgement.")
@click.option(
    "--expect",
    type=click.Choice(["allow", "deny", "any"]),
    default="allow",
    show_default=True,
    help="What must have been decided.",
)
@format_option
def command(
    decision: Path,
    attestation: Path | None,
    verifier_id: str | None,
    release: tuple[str, ...],
    manifest: Path | None,
    policies: tuple[str, ...],
    policy_digest: str | None,
    max_age: str | None,
    as_of: str | None,
    expect: str,
    format_: str,
    **whom: Any,
) -> int:
    """Verify DECISION: signed statements about a decision, or a record with such beside it."""
    from adjudge.cli.trust_options import trust
    from adjudge.decision.times import parse_time
    from adjudge.gate.attestation import Expected, verify_statements

    now = parse_time(as_of) if as_of else time.time_ns()
    record, statements = _inputs(decision, attestation)
    expected = Expected(
        now_ns=now,
        outcome=expect,  # type: ignore[arg-type]
        verifier_id=verifier_id,
        record=record,
        subjects=_present(release, manifest) if release else None,
        policy_digest=_policy(policies, policy_digest),
        max_age_ns=_age(max_age),
    )
    verdicts = verify_statements(
        statements, trust(as_of_ns=now if as_of else None, **whom), expected
    )
    if format_ == "json":
        click.echo(json.dumps(_document(verdicts), indent=2, ensure_ascii=False))
    else:
        _show(verdicts)
    return 0 if verdicts and all(v.ok for v in verdicts) else 1


def _inputs(path: Path, attestation: Path | None) -> tuple[Decision | None, bytes]:
    """The record, if there is one, and the signed statements."""
    from adjudge.cli.records import read_bytes, read_record
    from adjudge.errors import UsageError
    from adjudge.trust import MAX_SIGNATURE_BYTES

    raw = read_bytes(path)
    if not _is_record(raw):
        if attestation is not None:
            # Then the first must be a record; this says why it is none.
            read_record(path)
        return None, raw
    record = read_record(path)
    if attestation is None:
        names = [Path(f"{path}{end}") for end in _BESIDE]
        names += [path.with_suffix(end) for end in _BESIDE]
        attestation = next((n for n in names if n.is_file()), None)
    if attestation is None:
        raise UsageError(
            "attestation_missing",
            f"{path} is a decision record, which is not signed, and nothing signed is beside it",
            hint="name it with --attestation; `adjudge attest` makes one",
        )
    return record, read_bytes(attestation, 200 * MAX_SIGNATURE_BYTES)


def _is_record(raw: bytes) -> bool:
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and "decision_id" in value


def _present(paths: tuple[str, ...], manifest: Path | None) -> dict[str, str]:
    from adjudge.evaluation import subjects_of
    from adjudge.exports.intoto import named_digests
    from adjudge.gate.release import load_release

    found = load_release(list(paths), manifest=manifest)
    return named_digests(subjects_of(found.info, found.digest, found.artifacts))


def _policy(names: tuple[str, ...], digest: str | None) -> str | None:
    import re

    from adjudge.errors import UsageError
    from adjudge.policyset.loading import load_policy_set

    if names and digest:
        raise UsageError("policies_ambiguous", "give the policies or their digest, not both")
    if names:
        return load_policy_set(names).digest
    if digest is None:
        return None
    plain = digest.removeprefix("sha256:").lower()
    if not re.fullmatch("[0-9a-f]{64}", plain):
        raise UsageError(
            "digest_invalid", f"{digest[:80]!r} is not a SHA-256 digest", hint="64 hex digits"
        )
    return plain


def _age(text: str | None) -> int | None:
    from adjudge.cli.options import age_seconds

    return None if text is None else age_seconds(text) * 1_000_000_000


def _document(verdicts: list[Verdict]) -> dict[str, Any]:
    return {
        "verified": bool(verdicts) and all(v.ok for v in verdicts),
        "statements": [
            {
                "verified": v.ok,
                "predicate_type": v.signature.predicate_type,
                "decision": dict(v.decision),
                "checks": [{"name": c.name, "ok": c.ok, "message": c.message} for c in v.checks],
                "signature": v.signature.as_facts(),
            }
            for v in verdicts
        ],
    }


_MARKS = {True: "ok", False: "FAILED", None: "-"}


def _show(verdicts: list[Verdict]) -> None:
    from adjudge.cli.terminal import safe

    for verdict in verdicts:
        click.echo(safe(verdict.signature.predicate_type or "an unverified statement"))
        for check in verdict.checks:
            click.echo(f"  {_MARKS[check.ok]:<7} {check.name:<10} {safe(check.message)}")
    good = bool(verdicts) and all(v.ok for v in verdicts)
    click.echo("Verified." if good else "Not verified.")
