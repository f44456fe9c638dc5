"""Evidence packs by the command line: what is in them, and what cannot be."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from tests.cli.conftest import Run, write
from tests.cli.test_attest import new_key

from adjudge.canonical import sha256_hex
from adjudge.decision.model import Decision
from adjudge.gate.archive import read_archive
from adjudge.gate.pack import PREDICATE


@pytest.fixture
def judged(run: Run, work: Path) -> Path:
    """A working directory with a recorded, attested decision and keys."""
    new_key(work, "key")
    given = ("-p", "policies", "-w", "waivers.yaml", "--record", "rec", "-q")
    signed = ("--attest", "d.intoto.jsonl", "--signing-key", "key.pem")
    assert run("check", "release", *given, *signed, "--output", "json=d.json").code == 0
    return work


FULL = (
    *("--attestation", "d.intoto.jsonl", "--recordings", "rec", "--trust-file", "key.pub"),
    *("--framework", "soc2", "--signing-key", "key.pem"),
)


def test_everything_is_in_it(judged: Path, run: Run) -> None:
    assert run("pack", "d.json", *FULL, "-o", "pack.tar").code == 0
    members = read_archive((judged / "pack.tar").read_bytes())
    decision = Decision.from_json((judged / "d.json").read_bytes())
    assert sha256_hex(members["decision.json"]) == decision.digest
    assert members["attestation.intoto.jsonl"] == (judged / "d.intoto.jsonl").read_bytes()
    assert sha256_hex(members["waivers.yaml"]) == decision.input.waivers_digest
    assert members["trust/key.pub"] == (judged / "key.pub").read_bytes()
    assert json.loads(members["controls/soc2.json"])["states"]
    assert members["report.html"].startswith(b"<!doctype html>")
    parts = {n for n in members if n.startswith("parts/")}
    assert {f"parts/{sha256_hex(members[n])}" for n in parts} == parts
    described = json.loads(members["recording.json"])
    policies = {f["path"]: members[f"parts/{f['text']}"] for f in described["policies"]["files"]}
    assert policies["card.rego"] == (judged / "policies/card.rego").read_bytes()


def test_the_signed_statement_names_every_member(judged: Path, run: Run) -> None:
    run("pack", "d.json", *FULL, "-o", "pack.tar")
    members = read_archive((judged / "pack.tar").read_bytes())
    envelope = json.loads(members.pop("pack.intoto.json"))
    statement = json.loads(base64.b64decode(envelope["payload"]))
    assert statement["predicateType"] == PREDICATE
    assert {s["name"]: s["digest"]["sha256"] for s in statement["subject"]} == {
        name: sha256_hex(data) for name, data in members.items()
    }


def test_the_same_pack_has_the_same_bytes(judged: Path, run: Run) -> None:
    from cryptography.hazmat.primitives.asymmetric import ed25519
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = ed25519.Ed25519PrivateKey.generate()
    path = judged / "ed.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(0o600)
    options = [*FULL[:-1], "ed.pem"]
    for name in ("a.tar", "b.tar"):
        assert run("pack", "d.json", *options, "-o", name).code == 0
    assert (judged / "a.tar").read_bytes() == (judged / "b.tar").read_bytes()


def test_parts_of_another_decision_are_refused(judged: Path, run: Run) -> None:
    write(judged, {"other.yaml": (judged / "waivers.yaml").read_text() + "# changed\n"})
    found = run("pack", "d.json", "--waivers", "other.yaml", "--signing-key", "key.pem", "-o", "p")
    assert (found.code, found.error) == (2, "pack_contradicts")
    run("check", "bad", "-p", "policies", "-q", "--output", "json=bad.json")
    found = run("pack", "bad.json", "--recordings", "rec", "--signing-key", "key.pem", "-o", "p")
    assert (found.code, found.error) == (2, "recording_not_found")
    write(judged, {"r.tlog-proof": "no receipt"})
    found = run(
        "pack", "d.json", "--receipt", "r.tlog-proof", "--signing-key", "key.pem", "-o", "p"
    )
    assert (found.code, found.error) == (2, "proof_malformed")
    assert not (judged / "p").exists()


def test_a_changed_recording_is_refused(judged: Path, run: Run) -> None:
    (part, *_) = (p for p in (judged / "rec/parts").rglob("*") if p.is_file())
    part.write_bytes(part.read_bytes() + b" ")
    found = run("pack", "d.json", *FULL, "-o", "pack.tar")
    assert (found.code, found.error) == (2, "recording_part_changed")


def test_bad_usage(judged: Path, run: Run) -> None:
    for options, code in (
        (("d.json", "--signing-key", "none.pem", "-o", "p"), "signing_key_unreadable"),
        (("none.json", "--signing-key", "key.pem", "-o", "p"), "file_unreadable"),
        (("d.json", "--signing-key", "key.pem", "-o", "none/p"), "output_directory_missing"),
        (("d.json", "--trust-file", "x", "--signing-key", "key.pem", "-o", "p"), "file_unreadable"),
    ):
        found = run("pack", *options)
        assert (found.code, found.error) == (2, code), options
