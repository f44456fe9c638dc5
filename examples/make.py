"""Makes what is not written by hand in the examples: weights, digests, signatures, broken copies.

``python examples/make.py`` writes it all anew and signs with a fresh key, of which only the public
half is kept. Everything but the signatures and the public key comes out the same each time.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

HERE = Path(__file__).resolve().parent
RELEASE = HERE / "support-assistant"
BROKEN = HERE / "support-assistant-broken"
CASES = HERE / "broken"

CARD = "model_card.md"
SBOM = "sbom.cdx.json"
MANIFEST = "release.yaml"
WEIGHTS = "models/support-assistant.safetensors"
PROMPT = "prompts/support-assistant/1.4.2"
SIGNED = (CARD, SBOM, WEIGHTS)
OWN = ("README.md", "expected.yaml")
"""Files of an example that are about it, not of it."""

Change = Callable[[bytes], bytes]


def weights() -> bytes:
    """A small classifier in safetensors form; its numbers are made up and always the same."""
    shapes = {"encoder.weight": [48, 16], "classifier.weight": [6, 16], "classifier.bias": [6]}
    header: dict[str, Any] = {"__metadata__": {"format": "pt", "name": "support-assistant"}}
    body = b""
    for name, shape in shapes.items():
        count = shape[0] * (shape[1] if len(shape) > 1 else 1)
        numbers = struct.pack(f"<{count}f", *_numbers(name, count))
        span = [len(body), len(body) + len(numbers)]
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": span}
        body += numbers
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + body


def _numbers(seed: str, count: int) -> Iterator[float]:
    for index in range(count):
        digest = hashlib.sha256(f"{seed} {index}".encode()).digest()
        yield int.from_bytes(digest[:2], "big") / 65536 - 0.5


def pickle() -> bytes:
    """A pickle that imports a function: it prints one line where it is loaded."""
    return b"cbuiltins\nprint\n(S'this ran while the weights were loaded'\ntR."


# --- what is broken, and how --------------------------------------------------------------------


def swap(old: str, new: str) -> Change:
    """Replace a text that occurs exactly once."""

    def change(data: bytes) -> bytes:
        if data.count(old.encode()) != 1:
            raise SystemExit(f"occurs {data.count(old.encode())} times: {old!r}")
        return data.replace(old.encode(), new.encode())

    return change


def without_section(title: str) -> Change:
    """Leave out a section of a card."""

    def change(data: bytes) -> bytes:
        pattern = rf"(?ms)^## {re.escape(title)}$.*?(?=^## )".encode()
        found, count = re.subn(pattern, b"", data)
        if count != 1:
            raise SystemExit(f"no section {title!r}")
        return found

    return change


def whole(make: Callable[[], bytes]) -> Change:
    """Put other bytes in the place of a file."""
    return lambda _: make()


def stale_hash(data: bytes) -> bytes:
    """The SBOM of an earlier build: another digest for the model."""
    digest = hashlib.sha256(weights()).hexdigest()
    return swap(digest, hashlib.sha256(b"an earlier build").hexdigest())(data)


def one_number_changed(data: bytes) -> bytes:
    """The weights with the last number replaced: still well formed."""
    return data[:-4] + struct.pack("<f", 1.0)


@dataclass(frozen=True)
class Case:
    """Changes by file, and files whose signature is left as it was."""

    change: dict[str, list[Change]]
    keep_signature: tuple[str, ...] = ()


# What a case takes away stands in its expected.yaml.
CASES_BY_NAME: dict[str, Case] = {
    "card-without-purpose": Case({CARD: [without_section("Intended use")]}),
    "card-template-text": Case(
        {CARD: [swap("Retrained twice a year; metrics", "[More Information Needed]\n\nMetrics")]}
    ),
    "card-other-version": Case({CARD: [swap('version: "1.4.2"', 'version: "1.4.1"')]}),
    "card-licence": Case({CARD: [swap("license: apache-2.0", "license: cc-by-nc-4.0")]}),
    "card-metric-too-low": Case(
        {CARD: [swap("value: 0.93, ci: [0.92, 0.94]", "value: 0.91, ci: [0.88, 0.94]")]}
    ),
    "prompt-secret": Case(
        {
            f"{PROMPT}/system.txt": [
                swap(
                    "Never guess order data.",
                    "Never guess order data.\n  The lookup key is AKIAIOSFODNN7EXAMPLE.",
                )
            ]
        }
    ),
    "prompt-personal-data": Case(
        {
            f"{PROMPT}/tests.json": [
                swap("Where is my order 10-4471?", "Where is my order? Call +49 30 23125 014.")
            ]
        }
    ),
    "prompt-untrusted-input": Case(
        {
            f"{PROMPT}/system.txt": [
                swap("The ticket is about: {{intent}}", "The ticket ({{intent}}) says: {{ticket}}")
            ]
        }
    ),
    "prompt-model-not-pinned": Case(
        {
            f"{PROMPT}/config.yaml": [
                swap("id: claude-sonnet-4-5-20250929", "id: claude-sonnet-4-5-latest")
            ]
        }
    ),
    "prompt-without-limits": Case(
        {f"{PROMPT}/config.yaml": [swap("  temperature: 0.2\n", ""), swap("  timeout_s: 20\n", "")]}
    ),
    "prompt-untested": Case({f"{PROMPT}/tests.json": [swap('"pii"', '"regression"')]}),
    "tool-without-approval": Case(
        {f"{PROMPT}/config.yaml": [swap("    requires_approval: true\n", "")]}
    ),
    "sbom-of-another-build": Case({SBOM: [stale_hash]}),
    "sbom-critical-vulnerability": Case(
        {
            SBOM: [
                swap('"severity": "high"', '"severity": "critical"'),
                swap('"state": "not_affected"', '"state": "in_triage"'),
            ]
        }
    ),
    "sbom-licence": Case({SBOM: [swap('"id": "MIT"', '"id": "AGPL-3.0-only"')]}),
    "weights-that-run-code": Case(
        {
            MANIFEST: [swap(WEIGHTS, "models/support-assistant.pkl")],
            "models/support-assistant.pkl": [whole(pickle)],
        }
    ),
    "weights-cut-short": Case({WEIGHTS: [lambda data: data[:-100]]}),
    "weights-tampered-with": Case({WEIGHTS: [one_number_changed]}, keep_signature=(WEIGHTS,)),
    "release-high-risk-use": Case(
        {MANIFEST: [swap("use_case_tags: [customer-support]", "use_case_tags: [recruitment]")]}
    ),
    "release-prohibited-use": Case(
        {MANIFEST: [swap("use_case_tags: [customer-support]", "use_case_tags: [social-scoring]")]}
    ),
    "release-no-incident-contact": Case(
        {MANIFEST: [swap("    email: oncall@example.com\n    response_hours: 4\n", "")]}
    ),
    "release-no-way-back": Case(
        {
            MANIFEST: [
                swap(
                    'release: "1.4.1"\n'
                    "  procedure: https://runbooks.example.com/support-assistant/rollback",
                    'release: "1.4.2"',
                )
            ]
        }
    ),
    "release-log-too-short": Case({MANIFEST: [swap("retention_days: 400", "retention_days: 30")]}),
    "release-assessment-exchanged": Case(
        {"assessments/risk.md": [swap("| medium | medium |", "| low | low |")]}
    ),
}

TOGETHER = (
    "card-without-purpose",
    "card-template-text",
    "card-other-version",
    "card-licence",
    "prompt-secret",
    "prompt-untrusted-input",
    "prompt-model-not-pinned",
    "tool-without-approval",
    "sbom-of-another-build",
    "sbom-critical-vulnerability",
)
"""The cases that the complete broken release has all at once."""


# --- writing ------------------------------------------------------------------------------------


def changed(case: Case, base: Callable[[str], bytes]) -> dict[str, bytes]:
    """The files a case changes, with their new bytes; ``base`` reads those of the good release."""
    found = {}
    for name, changes in case.change.items():
        data = base(name) if (RELEASE / name).exists() else b""
        for change in changes:
            data = change(data)
        found[name] = data
    return found


def good(name: str) -> bytes:
    """A file of the release that passes."""
    return (RELEASE / name).read_bytes()


def main() -> None:
    """Write everything."""
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (HERE / "organisation" / "release.pub").write_bytes(public)
    _finish_release()
    for name in SIGNED:
        _write(RELEASE / f"{name}.sig", signature(key, good(name)))
    for name, case in CASES_BY_NAME.items():
        _write_case(CASES / name, case, key)
    _write_broken()
    print(f"{len(CASES_BY_NAME)} broken cases, {len(SIGNED)} signatures, 1 complete broken release")


def signature(key: Ed25519PrivateKey, data: bytes) -> bytes:
    """A plain signature as text."""
    return base64.b64encode(key.sign(data)) + b"\n"


def _finish_release() -> None:
    """The weights, and the digests that other files state."""
    _write(RELEASE / WEIGHTS, weights())
    digest = hashlib.sha256(weights()).hexdigest()
    sbom = (RELEASE / SBOM).read_text("utf-8")
    sbom = re.sub(r'("content": ")[0-9a-f]*(")', rf"\g<1>{digest}\g<2>", sbom, count=1)
    (RELEASE / SBOM).write_text(sbom, "utf-8")
    risk = hashlib.sha256(good("assessments/risk.md")).hexdigest()
    manifest = (RELEASE / MANIFEST).read_text("utf-8")
    manifest = re.sub(r'sha256: "[0-9a-f]{64}"', f'sha256: "{risk}"', manifest)
    (RELEASE / MANIFEST).write_text(manifest, "utf-8")


def _write_case(folder: Path, case: Case, key: Ed25519PrivateKey) -> None:
    shutil.rmtree(folder / "files", ignore_errors=True)
    for name, data in changed(case, good).items():
        _write(folder / "files" / name, data)
        signed = name in SIGNED or name.startswith("models/")
        if signed and name not in case.keep_signature:
            _write(folder / "files" / f"{name}.sig", signature(key, data))


def _write_broken() -> None:
    """The release with many faults at once, to be run as it is."""
    kept = {name: (BROKEN / name).read_bytes() for name in OWN if (BROKEN / name).exists()}
    shutil.rmtree(BROKEN, ignore_errors=True)
    files = {
        path.relative_to(RELEASE).as_posix(): path.read_bytes()
        for path in RELEASE.rglob("*")
        if path.is_file() and path.suffix != ".sig" and path.name not in OWN
    }
    for case in TOGETHER:
        files |= changed(CASES_BY_NAME[case], files.__getitem__)
    for name, data in (files | kept).items():
        _write(BROKEN / name, data)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


if __name__ == "__main__":
    main()
