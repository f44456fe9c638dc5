"""A witness signs what continues the last thing it saw, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from adjudge.errors import AdjudgeError
from adjudge.ledger import Checkpoint, Consistency, Item, Ledger, SigningKey, VerifierKey
from adjudge.ledger.audit import audit
from adjudge.ledger.checkpoint import verify_checkpoint
from adjudge.ledger.note import WITNESS
from adjudge.ledger.witness import Witness

NAME = "w.example/1"


class Eye:
    """A witness with a clock that can be set."""

    def __init__(self, folder: Path) -> None:
        signer = SigningKey.generate(folder / "w.key")
        self.key = VerifierKey(NAME, signer.public, WITNESS)
        self.state = folder / "w.json"
        self.now = 1_800_000_000.5
        self.witness = Witness(NAME, signer, self.state, lambda: self.now)


@pytest.fixture
def eye(tmp_path: Path) -> Eye:
    return Eye(tmp_path)


@pytest.fixture
def log(ledger: Ledger) -> VerifierKey:
    assert ledger.key is not None
    return ledger.key


def code(action: Callable[[], object]) -> str:
    with pytest.raises(AdjudgeError) as e:
        action()
    return e.value.code


def test_a_log_is_followed(ledger: Ledger, log: VerifierKey, eye: Eye, url: str) -> None:
    for size in (1, 2, 5, 5):
        ledger.append_all([Item(b"%d" % n) for n in range(len(ledger), size)])
        proof = ledger.prove_consistency(eye.witness.last_size(log))
        note = eye.witness.cosign(Consistency.parse(proof.text.encode()), log)
        seen = verify_checkpoint(note, log, witnesses=[eye.key], quorum=1)
        assert seen.witnesses == ((NAME, int(eye.now)),)
        assert ledger.add_cosignatures(str(note).encode(), [eye.key]) == [NAME]
        eye.now += 1
    ledger.prove(0).verify(log, witnesses=[eye.key], quorum=1)
    found = audit(ledger, log, witnesses=[eye.key])
    assert (found.ok, found.witnessed) == (True, 1)


def test_another_history_is_not_signed(
    ledger: Ledger, log: VerifierKey, eye: Eye, tmp_path: Path
) -> None:
    ledger.append_all([Item(b"%d" % n) for n in range(6)])
    eye.witness.cosign(ledger.prove_consistency(0), log)
    before = eye.state.read_bytes()
    key = SigningKey.load(tmp_path / "log.key")
    with Ledger.init(tmp_path / "fork.db", key, origin=ledger.origin) as fork:
        fork.append_all([Item(b"%d" % n) for n in range(4)])
        shrunk = fork.prove_consistency(0)
        assert code(lambda: eye.witness.cosign(shrunk, log)) == "checkpoint_shrank"
        fork.append_all([Item(b"%d" % n) for n in range(2)])
        same = fork.prove_consistency(6)
        assert code(lambda: eye.witness.cosign(same, log)) == "checkpoint_inconsistent"
        fork.append_all([Item(b"%d" % n) for n in range(2)])
        longer = fork.prove_consistency(6)
        assert code(lambda: eye.witness.cosign(longer, log)) == "checkpoint_inconsistent"
    ledger.append(b"more")
    assert code(lambda: eye.witness.cosign(ledger.prove_consistency(3), log)) == "proof_invalid"
    assert eye.state.read_bytes() == before
    eye.witness.cosign(ledger.prove_consistency(6), log)


def test_a_clock_that_went_back(ledger: Ledger, log: VerifierKey, eye: Eye) -> None:
    eye.witness.cosign(ledger.prove_consistency(0), log)
    eye.now -= 1
    wanted = code(lambda: eye.witness.cosign(ledger.prove_consistency(0), log))
    assert wanted == "witness_clock_backwards"


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b'{"schema":"x","logs":{}}', b"\xff", b"[" * 100_000]
)
def test_a_memory_that_cannot_be_read(
    ledger: Ledger, log: VerifierKey, eye: Eye, data: bytes
) -> None:
    eye.state.write_bytes(data)
    wanted = code(lambda: eye.witness.cosign(ledger.prove_consistency(0), log))
    assert wanted == "witness_state_invalid"
    assert eye.state.read_bytes() == data


def test_a_memory_that_was_changed(ledger: Ledger, log: VerifierKey, eye: Eye) -> None:
    eye.witness.cosign(ledger.prove_consistency(0), log)
    state = json.loads(eye.state.read_bytes())
    text = state["logs"][ledger.origin]["checkpoint"]
    state["logs"][ledger.origin]["checkpoint"] = text.replace("\n0\n", "\n1\n")
    eye.state.write_text(json.dumps(state))
    assert code(lambda: eye.witness.last_size(log)) == "witness_state_invalid"


def test_a_memory_that_cannot_be_written(ledger: Ledger, log: VerifierKey, tmp_path: Path) -> None:
    signer = SigningKey.generate(tmp_path / "v.key")
    lost = Witness(NAME, signer, tmp_path / "none" / "w.json")
    wanted = code(lambda: lost.cosign(ledger.prove_consistency(0), log))
    assert wanted == "witness_state_unwritable"


def test_cosignatures_of_others_and_of_other_checkpoints(
    ledger: Ledger, log: VerifierKey, eye: Eye, tmp_path: Path
) -> None:
    ledger.append(b"1")
    note = eye.witness.cosign(ledger.prove_consistency(0), log)
    stranger = VerifierKey(NAME, SigningKey.generate(tmp_path / "s.key").public, WITNESS)
    data = str(note).encode()
    assert code(lambda: ledger.add_cosignatures(data, [stranger])) == "note_untrusted"
    bad = data.replace(Checkpoint.parse(note.text).text.encode()[:11], b"example.org")
    assert code(lambda: ledger.add_cosignatures(bad, [eye.key])) == "note_signature_invalid"
    other = eye.witness.cosign(ledger.prove_consistency(1), log)
    assert ledger.add_cosignatures(str(other).encode(), [eye.key]) == [NAME]
    with Ledger.init(tmp_path / "o.db", SigningKey.load(tmp_path / "log.key"), origin="o") as o:
        assert code(lambda: o.add_cosignatures(data, [eye.key])) == "checkpoint_unknown"
