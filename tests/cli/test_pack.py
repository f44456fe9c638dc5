"""Evidence packs by the command line: what is in them, and what cannot be."""

from __future__ import annotations

import ast
import base64
import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Run, write
from tests.cli.test_attest import new_key

from adjudge.canonical import sha256_hex
from adjudge.decision.model import Decision
from adjudge.exports import verifier
from adjudge.exports.verifier import source
from adjudge.gate.archive import read_archive, write_archive
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


# --- the verifier ---------------------------------------------------------------------------------


def verify(work: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Runs the script as somebody without adjudge does: isolated, by its path."""
    script = work / "verify.py"
    script.write_bytes(source())
    return subprocess.run(
        [sys.executable, "-I", str(script), *options],
        cwd=work,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def packed(judged: Path, run: Run) -> Path:
    """A working directory with a full pack: with a receipt, too."""
    init = ("ledger", "init", "--ledger", "log.db", "--key", "log.key", "--origin", "example.org/x")
    assert run(*init).code == 0
    run("check", "release", "-p", "policies", "-q", "--ledger", "log.db", "--output", "json=l.json")
    assert run("ledger", "append", "--ledger", "log.db", "d.json").code == 0
    assert run("ledger", "checkpoint", "--ledger", "log.db", "--key", "log.key").code == 0
    decision_id = json.loads((judged / "d.json").read_text())["decision_id"]
    prove = ("ledger", "prove", decision_id, "--ledger", "log.db", "-o", "d.tlog-proof")
    assert run(*prove).code == 0
    made = run("pack", "d.json", *FULL, "--receipt", "d.tlog-proof", "-o", "pack.tar")
    assert made.code == 0, made.err
    return judged


KEYS = ("--signer", "key.pub", "--key", "log.pub")


def test_the_script_accepts_it(packed: Path) -> None:
    found = verify(packed, "pack.tar", *KEYS)
    assert (found.returncode, found.stderr) == (0, ""), found.stdout
    assert found.stdout.endswith("VERIFIED\n")
    for said in ("members are those that were signed", "attested: ", "entry 1 of 2", "policy file"):
        assert said in found.stdout


def test_the_script_needs_nothing_of_ours() -> None:
    tree = ast.parse(source())
    names = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    names |= {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    roots = {name.partition(".")[0] for name in names}
    assert roots - set(sys.stdlib_module_names) == {"cryptography"}


def test_a_changed_byte_of_each_member_is_found(packed: Path, capsys: Any) -> None:
    """Each member in turn, as its archive is made anew, and as it lies in the archive."""
    script = runpy.run_path(str(Path(verifier.__file__).parent / "verify.py"))
    whole = (packed / "pack.tar").read_bytes()
    members = read_archive(whole)
    assert len(members) > 12
    for name, data in members.items():
        changed = bytearray(data)
        place = len(data) // 2
        changed[place] ^= 1
        rebuilt = write_archive({**members, name: bytes(changed)})
        in_place = bytearray(whole)
        in_place[whole.index(data) + place] ^= 1
        for archive in (rebuilt, bytes(in_place)):
            (packed / "changed.tar").write_bytes(archive)
            os.chdir(packed)
            assert script["main"](["changed.tar", *KEYS]) == 1, name
    capsys.readouterr()


def test_what_is_missing_added_or_of_others_is_found(packed: Path) -> None:
    members = read_archive((packed / "pack.tar").read_bytes())

    def verdict(changed: dict[str, bytes], *options: str) -> str:
        (packed / "changed.tar").write_bytes(write_archive(changed))
        found = verify(packed, "changed.tar", *(options or KEYS))
        assert found.returncode in (1, 2)
        assert found.stderr == ""
        return found.stdout.splitlines()[-1]

    for name in members:
        assert "pack_" in verdict({n: d for n, d in members.items() if n != name}), name
    assert "pack_member_mismatch" in verdict({**members, "more.json": b"{}"})
    new_key(packed, "other")
    assert "envelope_untrusted" in verdict(members, "--signer", "other.pub", *KEYS[2:])
    assert "key_missing" in verdict(members, "--signer", "key.pub")
    assert "signer_missing" in verdict(members, *KEYS[2:])
    for archive in (b"", b"x" * 3000, (packed / "pack.tar").read_bytes()[:-1]):
        (packed / "changed.tar").write_bytes(archive)
        assert verify(packed, "changed.tar", *KEYS).returncode != 0


def test_a_pack_of_another_decision_signed_by_the_same(packed: Path) -> None:
    """Whoever may sign cannot pass one decision's proof off as another's."""
    from adjudge.gate.pack import _statement
    from adjudge.trust.signing import load_signer

    members = read_archive((packed / "pack.tar").read_bytes())
    other = Decision.from_json((packed / "l.json").read_bytes())
    members["decision.json"] = other.canonical
    del members["pack.intoto.json"]
    signed = load_signer(packed / "key.pem").sign(_statement(other, members))
    (packed / "changed.tar").write_bytes(write_archive({**members, "pack.intoto.json": signed}))
    found = verify(packed, "changed.tar", *KEYS)
    assert found.returncode == 1
    assert "record_mismatch" in found.stdout
