"""Keys, notes, checkpoints, receipts and proofs: known vectors, bad ones, and changed bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from adjudge.errors import AdjudgeError
from adjudge.exports.verifier import verify as script
from adjudge.ledger import (
    Checkpoint,
    Consistency,
    Item,
    Ledger,
    ProofError,
    Receipt,
    SigningKey,
    VerifierKey,
    read_verifier_key,
    verify_checkpoint,
)
from adjudge.ledger.note import (
    WITNESS,
    Note,
    cosign,
    merged,
    parse_note,
    sign_note,
    verified_by,
)

# From the documentation of golang.org/x/mod/sumdb/note.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotp"
    "RZb6KE6RyyBwJnAM=\n"
)


def code(action: Callable[[], object]) -> str:
    with pytest.raises(ProofError) as e:
        action()
    return e.value.code


class Sample:
    """A log of a few entries with a receipt, a proof of consistency, and two witnesses."""

    def __init__(self, folder: Path) -> None:
        key = SigningKey.generate(folder / "log.key")
        known = SigningKey.generate(folder / "known.key")
        stranger = SigningKey.generate(folder / "stranger.key")
        self.witness = VerifierKey("w.example/known", known.public, WITNESS)
        with Ledger.init(folder / "l.db", key, origin="example.com/log") as ledger:
            ledger.append_all([Item(b"%d" % n, f"id-{n}") for n in range(5)])
            self.old = Checkpoint.parse(ledger.checkpoint().text)
            self.old_note = ledger.checkpoint()
            ledger.append_all([Item(b"%d" % n, f"id-{n}") for n in range(5, 11)])
            assert ledger.key is not None
            self.key = ledger.key
            note = ledger.checkpoint()
            lines = [
                cosign(note, "w.example/known", known, 1_700_000_000),
                cosign(note, "w.example/stranger", stranger, 1_700_000_001),
            ]
            self.note = merged(note, lines)
            self.stranger = lines[1].line.encode()
            receipt = ledger.prove("id-6")
            self.receipt = Receipt(receipt.index, receipt.leaf, receipt.path, self.note)
            proof = ledger.prove_consistency(5)
            self.consistency = Consistency(proof.old, proof.path, self.note)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return Sample(tmp_path_factory.mktemp("notes"))


# --- keys -----------------------------------------------------------------------------------------


def test_the_note_of_the_go_documentation() -> None:
    key = VerifierKey.parse(GO_KEY)
    assert str(key) == GO_KEY
    note = parse_note(GO_NOTE)
    assert str(note) == GO_NOTE
    assert [k.name for k, _ in verified_by(note, [key])] == ["PeterNeumann"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PeterNeumann",
        "PeterNeumann+c74f20a3",
        GO_KEY.replace("c74f20a3", "c74f20a4"),
        GO_KEY.replace("c74f20a3", "C74F20A3"),
        GO_KEY.replace("Peter", "Paul"),
        GO_KEY.replace("Peter", "Pet er"),
        GO_KEY[:-4],
        GO_KEY + "=",
        GO_KEY.replace("+AR", "+BR"),
        GO_KEY.replace("+AR", "+FR"),
        "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ],
)
def test_keys_that_are_none(text: str) -> None:
    assert code(lambda: VerifierKey.parse(text)) == "key_invalid"


def test_keys_are_read_from_files_and_given_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "log.pub").write_text(GO_KEY + "\n")
    assert read_verifier_key(str(tmp_path / "log.pub")) == read_verifier_key(GO_KEY)
    with pytest.raises(AdjudgeError) as e:
        read_verifier_key(str(tmp_path / "none.pub"))
    assert e.value.code == "key_unreadable"
    (tmp_path / "bad.pub").write_bytes(b"\xff\xfe\0")
    assert code(lambda: read_verifier_key(str(tmp_path / "bad.pub"))) == "key_invalid"


def test_private_keys(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    made = SigningKey.generate(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert SigningKey.load(path).public == made.public

    def refused(action: Callable[[Path], object], file: Path) -> str:
        with pytest.raises(AdjudgeError) as e:
            action(file)
        return e.value.code

    assert refused(SigningKey.generate, path) == "ledger_key_exists"
    assert refused(SigningKey.generate, tmp_path / "none" / "a.key") == "ledger_key_unwritable"
    assert refused(SigningKey.load, tmp_path / "b.key") == "signing_key_unreadable"
    path.chmod(0o640)
    assert refused(SigningKey.load, path) == "signing_key_exposed"
    path.chmod(0o600)
    path.write_text("no key")
    assert refused(SigningKey.load, path) == "signing_key_unusable"
    other = ec.generate_private_key(ec.SECP256R1())
    path.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    assert refused(SigningKey.load, path) == "ledger_key_unusable"


# --- notes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("note", "wanted"),
    [
        ("", "note_malformed"),
        ("\n", "note_malformed"),
        ("text\n", "note_malformed"),
        ("text\n\n", "note_malformed"),
        ("\n\n— a AAAAAAA=\n", "note_malformed"),
        ("text\n\n— a AAAAAAA=", "note_malformed"),
        ("text\n\n- a AAAAAAA=\n", "note_malformed"),
        ("text\n\n— a  AAAAAAA=\n", "note_malformed"),
        ("text\n\n— a+b AAAAAAA=\n", "note_malformed"),
        ("text\n\n— a\u2003b AAAAAAA=\n", "note_malformed"),
        ("text\n\n— a AAAA\n", "note_malformed"),
        ("text\n\n— a AAAAAAB=\n", "note_malformed"),
        ("text\n\n— a AAAAAAA\n", "note_malformed"),
        ("text\n\n— a AAAAAAA=\n\n", "note_malformed"),
        ("text\n\n— a AAAAAAA=\n— a AAAAAAA=\n", "note_malformed"),
        ("te\txt\n\n— a AAAAAAA=\n", "note_malformed"),
        ("te\rxt\n\n— a AAAAAAA=\n", "note_malformed"),
        (b"te\xffxt\n\n\xe2\x80\x94 a AAAAAAA=\n", "note_malformed"),
        ("x" * (1024 * 1024) + "\n\n— a AAAAAAA=\n", "note_too_large"),
        ("x\n\n" + "".join(f"— a{n} AAAAAAA=\n" for n in range(101)), "note_too_large"),
    ],
)
def test_notes_that_are_none(note: str | bytes, wanted: str) -> None:
    assert code(lambda: parse_note(note)) == wanted
    data = note if isinstance(note, bytes) else note.encode()
    if wanted != "note_malformed" or b"a+b" in data or "\u2003".encode() in data:
        return
    with pytest.raises(script.Failed) as e:
        script.split_note(data)
    assert e.value.code == wanted


def test_sixteen_signatures_and_more_are_accepted() -> None:
    note = "x\n\n" + "".join(f"— a{n} AAAAAAA=\n" for n in range(100))
    assert len(parse_note(note).signatures) == 100


def test_text_with_empty_lines() -> None:
    note = parse_note("a\n\nb\n\n— a AAAAAAA=\n")
    assert note.text == "a\n\nb\n"


def test_unknown_keys_are_passed_over_and_known_ones_must_be_good(
    sample: Sample, tmp_path: Path
) -> None:
    other = VerifierKey(sample.key.name, SigningKey.generate(tmp_path / "o").public)
    assert code(lambda: verified_by(sample.note, [other])) == "note_untrusted"
    assert code(lambda: verified_by(sample.note, [])) == "note_untrusted"
    changed = Note(sample.note.text.replace("11", "12"), sample.note.signatures)
    assert code(lambda: verified_by(changed, [sample.key])) == "note_signature_invalid"


# --- checkpoints ----------------------------------------------------------------------------------


def test_checkpoints_and_extensions(sample: Sample, key: SigningKey) -> None:
    own = VerifierKey("a.example", key.public)
    made = Checkpoint("a.example", 0, bytes(32), ("more", "and more"))
    assert Checkpoint.parse(made.text) == made
    assert verify_checkpoint(str(made.sign(key)), own).checkpoint == made


@pytest.mark.parametrize(
    "text",
    [
        "o\n1\n",
        "o\n1\nAAAA\n",
        f"o\n01\n{'A' * 43}=\n",
        f"o\n-1\n{'A' * 43}=\n",
        f"o\n+1\n{'A' * 43}=\n",
        f"o\n1 \n{'A' * 43}=\n",
        f"o\n\n{'A' * 43}=\n",
        f"\n1\n{'A' * 43}=\n",
        f"o\n1\n{'A' * 43}=",
        f"o\n1\n{'A' * 43}=\n\nx\n",
        f"o\n1\n{'A' * 42}B=\n",
        f"o\n99999999999999999999\n{'A' * 43}=\n",
        f"o\n9223372036854775807\n{'A' * 43}=\n",
        f"o\n١\n{'A' * 43}=\n",
    ],
)
def test_checkpoints_that_are_none(text: str) -> None:
    assert code(lambda: Checkpoint.parse(text)) == "checkpoint_malformed"


def test_a_checkpoint_of_another_log_signed_with_the_same_key(key: SigningKey) -> None:
    own = VerifierKey("b.example", key.public)
    note = sign_note(Checkpoint("a.example", 0, bytes(32)).text, "b.example", key)
    assert code(lambda: verify_checkpoint(note, own)) == "checkpoint_origin_mismatch"


def test_a_quorum_of_witnesses(sample: Sample) -> None:
    verified = verify_checkpoint(sample.note, sample.key, witnesses=[sample.witness], quorum=1)
    assert verified.witnesses == (("w.example/known", 1_700_000_000),)
    twice = [sample.witness, VerifierKey("other", sample.witness.public, WITNESS)]
    wanted = code(lambda: verify_checkpoint(sample.note, sample.key, witnesses=twice, quorum=2))
    assert wanted == "witnesses_missing"
    wanted = code(lambda: verify_checkpoint(sample.note, sample.witness, witnesses=[]))
    assert wanted == "checkpoint_origin_mismatch"


# --- receipts and proofs --------------------------------------------------------------------------


def test_texts_come_back(sample: Sample) -> None:
    receipt = Receipt.parse(sample.receipt.text.encode())
    assert receipt == sample.receipt
    assert receipt.verify(sample.key, witnesses=[sample.witness], quorum=1)
    proof = Consistency.parse(sample.consistency.text.encode())
    assert proof == sample.consistency
    assert proof.verify(sample.old, sample.key).checkpoint.size == 11


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (lambda t: t[:40], "proof_malformed"),
        (lambda t: t.replace(b"@v1", b"@v2"), "proof_malformed"),
        (lambda t: t.replace(b"index 6", b"index 06"), "proof_malformed"),
        (lambda t: t.replace(b"index 6", b"index 7"), "proof_invalid"),
        (lambda t: t.replace(b"index 6", b"index 4000000000000000000"), "proof_invalid"),
        (lambda t: t.replace(b"index 6", b"index 9999999999999999999"), "proof_malformed"),
        (lambda t: t.replace(b"index 6\n", b""), "proof_malformed"),
        (lambda t: t.replace(b"extra ", b"other "), "proof_malformed"),
        (lambda t: t.replace(b"extra ", b"extra ===="), "proof_malformed"),
        (lambda t: t.replace(b"index 6\n", b"index 6\nAAAA\n"), "proof_malformed"),
        (lambda t: t.replace(b"index 6\n", b"index 6\n" + b"A" * 43 + b"=\n"), "proof_invalid"),
        (
            lambda t: t.replace(b"index 6\n", b"index 6\n" + (b"A" * 43 + b"=\n") * 130),
            "proof_malformed",
        ),
        (lambda t: t.replace(b"index 6", "index ６".encode()), "proof_malformed"),
        (lambda t: t + b"x" * (2 * 1024 * 1024), "proof_too_large"),
        (lambda t: t.replace(b"\n\nexample", b"\nexample"), "proof_malformed"),
    ],
)
def test_receipts_that_are_none(
    sample: Sample, change: Callable[[bytes], bytes], wanted: str
) -> None:
    data = change(sample.receipt.text.encode())
    found = code(lambda: Receipt.parse(data).verify(sample.key))
    # Without its first empty line the checkpoint is taken for hashes of the proof.
    assert found in (wanted, "note_malformed")


def test_a_proof_of_another_tree(sample: Sample, tmp_path: Path, key: SigningKey) -> None:
    with Ledger.init(tmp_path / "x.db", key, origin="example.com/other") as other:
        other.append_all([Item(b"%d" % n, f"id-{n}") for n in range(11)])
        theirs, note = other.prove("id-6"), other.checkpoint()
        assert other.key is not None
        mixed = Receipt(6, sample.receipt.leaf, sample.receipt.path, note)
        assert code(lambda: mixed.verify(other.key)) == "proof_invalid"  # type: ignore[arg-type]
        mixed = Receipt(6, theirs.leaf, theirs.path, sample.note)
        assert code(lambda: mixed.verify(sample.key)) == "proof_invalid"
        assert code(lambda: theirs.verify(sample.key)) == "note_untrusted"


def test_consistency_that_is_none(sample: Sample) -> None:
    new = Checkpoint.parse(sample.note.text)
    shrunk = Consistency(5, sample.consistency.path, sample.old_note)
    assert code(lambda: shrunk.verify(new, sample.key)) == "checkpoint_shrank"
    forged = Checkpoint(sample.old.origin, 5, bytes(32))
    wanted = code(lambda: sample.consistency.verify(forged, sample.key))
    assert wanted == "checkpoint_inconsistent"
    other = Consistency(4, sample.consistency.path, sample.note)
    assert code(lambda: other.verify(sample.old, sample.key)) == "proof_invalid"
    data = sample.consistency.text.encode()
    assert code(lambda: Consistency.parse(data.replace(b"old 5", b"new 5"))) == "proof_malformed"


# --- changed bytes --------------------------------------------------------------------------------


def by_library(sample: Sample, what: str, data: bytes) -> bool:
    try:
        if what == "checkpoint":
            verify_checkpoint(data, sample.key, witnesses=[sample.witness], quorum=1)
        elif what == "receipt":
            receipt = Receipt.parse(data)
            receipt.verify(sample.key, witnesses=[sample.witness], quorum=1)
            return receipt.leaf == sample.receipt.leaf
        else:
            proof = Consistency.parse(data)
            proof.verify(sample.old, sample.key)
            verify_checkpoint(proof.note, sample.key, witnesses=[sample.witness], quorum=1)
    except ProofError:
        return False
    return True


def by_script(sample: Sample, what: str, data: bytes, folder: Path) -> bool:
    files = {"data": data, "old": str(sample.old_note).encode(), "record": b"6"}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    arguments = [
        str(folder / "data"),
        f"--key={sample.key}",
        f"--witness={sample.witness}",
        "--witnesses=1",
        f"--since={folder / 'old'}",
        f"--record={folder / 'record'}",
    ]
    return script.main(arguments) == 0


WHATS = ("checkpoint", "receipt", "consistency")


def text_of(sample: Sample, what: str) -> bytes:
    texts = {
        "checkpoint": str(sample.note),
        "receipt": sample.receipt.text,
        "consistency": sample.consistency.text,
    }
    return texts[what].encode()


@pytest.mark.parametrize("what", WHATS)
def test_the_whole_text_verifies(sample: Sample, what: str, tmp_path: Path) -> None:
    data = text_of(sample, what)
    assert by_library(sample, what, data)
    assert by_script(sample, what, data, tmp_path)


@pytest.mark.parametrize("what", WHATS)
def test_no_byte_can_change_but_in_lines_of_unknown_keys(sample: Sample, what: str) -> None:
    """What is not covered is exactly the signature lines of keys that were not given."""
    data = text_of(sample, what)
    start = data.index(sample.stranger)
    free = range(start, start + len(sample.stranger))
    verified = set()
    for place in range(len(data)):
        for bits in (0x01, 0x20, 0x80):
            changed = data[:place] + bytes([data[place] ^ bits]) + data[place + 1 :]
            if by_library(sample, what, changed):
                verified.add(place)
    assert verified <= set(free)
    assert verified


@given(what=st.sampled_from(WHATS), data=st.data())
@settings(max_examples=400, deadline=None)
def test_changed_texts_do_not_verify_and_both_verifiers_agree(
    what: str, data: st.DataObject, sample: Sample, tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole = text_of(sample, what).replace(sample.stranger, b"")
    changed = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(changed) - 1))
        kind = data.draw(st.sampled_from(["set", "insert", "delete", "cut", "copy"]))
        if kind == "set":
            changed[place] = data.draw(st.integers(0, 255))
        elif kind == "insert":
            changed.insert(place, data.draw(st.sampled_from(b"\n =A/+0\xe2\x80\x94")))
        elif kind == "delete" and len(changed) > 1:
            del changed[place]
        elif kind == "cut":
            del changed[max(1, place) :]
        else:
            changed[place:place] = changed[place : place + 60]
    if bytes(changed) == whole:
        return
    folder = tmp_path_factory.getbasetemp()
    assert not by_library(sample, what, bytes(changed))
    assert not by_script(sample, what, bytes(changed), folder)
