"""Exports: the verifier accepts them as they are, and finds every change."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from adjudge.canonical import canonical_bytes
from adjudge.decision.model import Decision
from adjudge.exports import verifier
from adjudge.exports.verifier import verify as script
from adjudge.ledger import Item, Ledger, LedgerError, SigningKey
from adjudge.ledger.pack import write_pack

Members = dict[str, bytes]
Make = Callable[..., Decision]


def fill(ledger: Ledger, folder: Path, decision: Make) -> None:
    """Decisions, private values and erasures; a kept checkpoint and the export in a folder."""
    ledger.append_decisions([decision(n * 10**9) for n in range(1, 4)])
    ledger.append_all(
        [
            Item(b"with values", "p", private={"a": b"1", "b": b""}),
            Item(b"\x00\xff", "q", private={"c": b"3"}),
            Item(b"", "empty"),
        ]
    )
    (folder / "kept").write_text(str(ledger.checkpoint()))
    ledger.erase("q", record=True, reason="asked to")
    ledger.append(b"last")
    write_pack(ledger, folder / "made.zip", private=True, since=6)
    (folder / "log.pub").write_text(f"{ledger.key}\n")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, decision: Make) -> Path:
    """A folder with an export."""
    folder = tmp_path_factory.mktemp("template")
    signer = SigningKey.generate(folder / "log.key")
    with Ledger.init(folder / "ledger.db", signer, origin="example.com/log") as ledger:
        fill(ledger, folder, decision)
    return folder


@pytest.fixture
def made(template: Path, tmp_path: Path) -> Path:
    """The export in a folder of its own, with the verifier key and a kept checkpoint."""
    for name in ("made.zip", "log.pub", "kept", "ledger.db", "log.key"):
        shutil.copy(template / name, tmp_path / name)
    return tmp_path / "made.zip"


def read(path: Path) -> Members:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write(path: Path, members: Members, *, manifest: bool = True) -> Path:
    """An archive of members, with a manifest that fits them."""
    members = dict(members)
    if manifest:
        about = json.loads(members["manifest.json"])
        about["files"] = {
            name: {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
            for name, data in members.items()
            if name != "manifest.json"
        }
        members["manifest.json"] = canonical_bytes(about)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def verdict(path: Path, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    """``VERIFIED``, or the code of what is wrong."""
    capsys.readouterr()
    result = script.main([str(path), f"--key={path.parent / 'log.pub'}", *more])
    last = capsys.readouterr().out.strip().split("\n")[-1]
    assert (result == 0) == (last == "VERIFIED")
    return last if result == 0 else last.split(" ")[2].rstrip(":")


def test_it_verifies_in_a_process_of_its_own(made: Path) -> None:
    copy = made.parent / "verify.py"
    copy.write_bytes(verifier.source())
    done = subprocess.run(
        [sys.executable, "-I", str(copy), "made.zip", "--key", "log.pub", "--since", "kept"],
        cwd=made.parent,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "8 entries are the tree that example.com/log signed" in done.stdout
    assert "2 records and private values were erased" in done.stdout


def test_the_verifier_shares_no_code() -> None:
    lines = verifier.source().decode().split("\n")
    imports = {
        line.split()[1].split(".")[0] for line in lines if line.startswith(("import ", "from "))
    }
    assert imports - set(sys.stdlib_module_names) == {"cryptography"}


def test_it_verifies_and_holds_what_it_says(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verdict(made, capsys) == verdict(made, capsys, f"--since={made.parent / 'kept'}")
    members = read(made)
    assert list(members) == [
        "checkpoint",
        "checkpoints.jsonl",
        "leaves.jsonl",
        "records.jsonl",
        "private.jsonl",
        "consistency",
        "manifest.json",
    ]
    assert len(members["leaves.jsonl"].splitlines()) == 8
    assert len(members["records.jsonl"].splitlines()) == 7
    assert len(members["checkpoints.jsonl"].splitlines()) == 4


def test_every_store_exports_and_the_same_log_gives_the_same_bytes(
    ledger: Ledger, tmp_path: Path, decision: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(ledger, tmp_path, decision)
    made = tmp_path / "made.zip"
    assert verdict(made, capsys, f"--since={tmp_path / 'kept'}") == "VERIFIED"
    write_pack(ledger, tmp_path / "again.zip", private=True, since=6)
    assert (tmp_path / "again.zip").read_bytes() == made.read_bytes()


def test_private_values_are_left_out_unless_asked_for(
    made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = made.parent / "public.zip"
    with Ledger.open(made.parent / "ledger.db") as ledger:
        write_pack(ledger, other)
    assert "private.jsonl" not in read(other)
    assert verdict(other, capsys) == "VERIFIED"


def test_one_changed_byte_in_each_member(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    members = read(made)
    for name, data in members.items():
        for place in {0, len(data) // 3, len(data) // 2, len(data) - 1}:
            for bits in (0x01, 0x20):
                changed = data[:place] + bytes([data[place] ^ bits]) + data[place + 1 :]
                bad = write(made.parent / "bad.zip", {**members, name: changed}, manifest=False)
                assert verdict(bad, capsys) != "VERIFIED", (name, place)


def test_one_changed_byte_in_each_member_with_a_manifest_that_fits(
    made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    members = read(made)
    for name in set(members) - {"manifest.json"}:
        data = members[name]
        for place in range(0, len(data), max(1, len(data) // 40)):
            changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
            bad = write(made.parent / "bad.zip", {**members, name: changed})
            assert verdict(bad, capsys) != "VERIFIED", (name, place)


def lines(data: bytes) -> list[bytes]:
    return data.splitlines(keepends=True)


def without(name: str, place: int) -> Callable[[Members], Members]:
    def change(m: Members) -> Members:
        kept = lines(m[name])
        del kept[place]
        return {**m, name: b"".join(kept)}

    return change


def swapped(name: str) -> Callable[[Members], Members]:
    def change(m: Members) -> Members:
        kept = lines(m[name])
        kept[0], kept[1] = kept[1], kept[0]
        return {**m, name: b"".join(kept)}

    return change


def added(name: str, data: bytes) -> Callable[[Members], Members]:
    return lambda m: {**m, name: m.get(name, b"") + data}


def in_manifest(**values: object) -> Callable[[Members], Members]:
    return lambda m: {
        **m,
        "manifest.json": canonical_bytes({**json.loads(m["manifest.json"]), **values}),
    }


FORGED = canonical_bytes({"index": 0, "record": base64.b64encode(b"forged").decode()}) + b"\n"


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (without("leaves.jsonl", 7), "checkpoint_inconsistent"),
        (without("leaves.jsonl", 0), "record_mismatch"),
        (swapped("leaves.jsonl"), "record_mismatch"),
        (added("leaves.jsonl", b"{}\n"), "leaf_malformed"),
        (added("leaves.jsonl", b"x"), "pack_malformed"),
        (without("records.jsonl", 0), "ledger_value_missing"),
        (without("records.jsonl", 5), "ledger_value_missing"),
        (swapped("records.jsonl"), "pack_malformed"),
        (added("records.jsonl", FORGED), "pack_malformed"),
        (lambda m: {**m, "records.jsonl": FORGED + m["records.jsonl"]}, "record_mismatch"),
        (added("records.jsonl", b'{"index":true,"record":""}\n'), "pack_malformed"),
        (added("records.jsonl", b'{"index":1,"index":2,"record":""}\n'), "pack_malformed"),
        (added("records.jsonl", b"[" * 100000 + b"\n"), "pack_malformed"),
        (without("private.jsonl", 0), "ledger_value_missing"),
        (swapped("private.jsonl"), "VERIFIED"),
        (without("checkpoints.jsonl", 0), "VERIFIED"),
        (added("checkpoints.jsonl", b'"x"\n'), "note_malformed"),
        (added("other", b"x"), "VERIFIED"),
        (in_manifest(size=7), "pack_malformed"),
        (in_manifest(origin="x"), "pack_malformed"),
        (in_manifest(key="x"), "pack_malformed"),
        (in_manifest(schema="x"), "pack_malformed"),
        (lambda m: {k: v for k, v in m.items() if k != "leaves.jsonl"}, "checkpoint_inconsistent"),
        (lambda m: {k: v for k, v in m.items() if k != "checkpoint"}, "pack_malformed"),
    ],
)
def test_packs_put_together_anew(
    made: Path,
    change: Callable[[Members], Members],
    wanted: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bad = write(made.parent / "bad.zip", change(read(made)))
    assert verdict(bad, capsys) == wanted


DEEP = b'{"a":' * 900 + b"1" + b"}" * 900
NASTY = [
    b'{"\\ud800":"\\udfff"}',
    b'{"files":{"\\ud800":{}}}',
    b'{"files":' + DEEP + b"}",
    b'{"index":0,"name":"\\ud800","salt":"AAAA","value":""}',
    b'{"index":0,"name":"a","salt":"","value":"AAAA"}',
    b'{"index":1e999,"record":""}',
    b'{"index":' + b"9" * 5000 + b',"record":""}',
    b'{"index":-1,"record":""}',
    b'{"index":0,"record":"\\ud800"}',
    b'"\\ud800\\n\\n"',
    DEEP,
    b"[" * 5000,
    b"null",
    b"\xff\xfe",
]


@pytest.mark.parametrize("data", NASTY, ids=range(len(NASTY)))
def test_nothing_but_a_verdict_comes_out(
    made: Path, data: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    members = read(made)
    bad = made.parent / "bad.zip"
    for name in members:
        if name == "manifest.json":
            write(bad, {**members, name: data}, manifest=False)
        else:
            write(bad, {**members, name: data + b"\n" + members[name]})
        assert verdict(bad, capsys) != "VERIFIED"


def test_a_pack_of_the_log_before_it_was_kept(
    made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = made.parent / "newest"
    signer = SigningKey.load(made.parent / "log.key")
    with Ledger.open(made.parent / "ledger.db", signer=signer) as ledger:
        (made.parent / "later").write_text(str(ledger.checkpoint()))
        ledger.append(b"more")
        kept.write_text(str(ledger.checkpoint()))
    assert verdict(made, capsys, f"--since={made.parent / 'later'}") == "VERIFIED"
    assert verdict(made, capsys, f"--since={kept}") == "checkpoint_shrank"


def test_archives_that_are_none(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = made.read_bytes()
    bad = made.parent / "bad.zip"
    for data in (b"PK", b"PK\x03\x04" + bytes(100), whole[:-30], whole[: len(whole) // 2]):
        bad.write_bytes(data)
        assert verdict(bad, capsys) == "pack_malformed"
    for place in range(0, len(whole), 37):
        bad.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        verdict(bad, capsys)  # never a traceback
    with zipfile.ZipFile(bad, "w") as archive:
        archive.writestr("manifest.json", b"{}")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("manifest.json", b"{}")
    assert verdict(bad, capsys) == "pack_malformed"
    for manifest in (b"", b"[]", b"{}", b'{"files":[]}', b'{ "files":{}}', b"\xff", b'{"a":1e999}'):
        with zipfile.ZipFile(bad, "w") as archive:
            archive.writestr("manifest.json", manifest)
        assert verdict(bad, capsys) == "pack_malformed"


def test_an_export_that_cannot_be(
    ledger: Ledger, url: str, tmp_path: Path, key: SigningKey
) -> None:
    ledger.append(b"1", id="a", private={"v": b"1"})
    with Ledger.open(url) as unsigned:
        unsigned.erase("a")
        with pytest.raises(LedgerError) as e:
            write_pack(unsigned, tmp_path / "a.zip")
        assert e.value.code == "ledger_not_signed"
    ledger.sign()
    write_pack(ledger, tmp_path / "a.zip")
    for target, code in (
        (tmp_path / "a.zip", "export_exists"),
        (tmp_path / "n/a.zip", "export_failed"),
    ):
        with pytest.raises(LedgerError) as e:
            write_pack(ledger, target)
        assert e.value.code == code
    assert [p.name for p in tmp_path.glob("*.tmp")] == []


# --- receipts with their records ------------------------------------------------------------------


def test_a_decision_in_any_spelling_is_the_one_that_was_logged(
    ledger: Ledger,
    tmp_path: Path,
    decision: Make,
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = decision(10**9)
    ledger.append_decisions([made])
    receipt = tmp_path / "d.tlog-proof"
    receipt.write_text(ledger.prove(made.decision_id).text)
    (tmp_path / "log.pub").write_text(str(ledger.key))
    record = tmp_path / "record"
    document = made.document()
    spellings = [
        made.canonical,
        json.dumps(document).encode(),
        json.dumps(document, indent=3).encode(),
    ]
    for data in spellings:
        record.write_bytes(data)
        assert verdict(receipt, capsys, f"--record={record}") == "VERIFIED"
    document["outcome"] = "deny"
    for data in (json.dumps(document).encode(), b"", b"[" * 100_000, b"\xff", b"null"):
        record.write_bytes(data)
        assert verdict(receipt, capsys, f"--record={record}") == "record_mismatch"


@pytest.mark.parametrize(
    "value",
    [
        0.0,
        -0.0,
        0.1,
        1e21,
        1e20,
        123456789012345680000.0,
        1e-6,
        1e-7,
        5e-324,
        1.5,
        -2.25e-9,
        1e16,
        100.0,
    ],
)
def test_numbers_are_spelled_as_by_the_library(value: float) -> None:
    assert script.canonical({"é": [value, 1, None, True, "\u2028\n"]}).encode() == canonical_bytes(
        {"é": [value, 1, None, True, "\u2028\n"]}
    )


def test_what_the_command_cannot_use(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = f"--key={made.parent / 'log.pub'}"
    (made.parent / "r.tlog-proof").write_text("c2sp.org/tlog-proof@v1\n")
    (made.parent / "c").write_text("old 1\n")
    for words, code in (
        ([str(made.parent / "none"), key], "file_unreadable"),
        ([str(made), "--key=none"], "file_unreadable"),
        ([str(made), "--key=a+b+c"], "key_invalid"),
        ([str(made.parent / "r.tlog-proof"), key], "record_missing"),
        ([str(made.parent / "c"), key], "since_missing"),
    ):
        assert script.main(words) == 2
        assert capsys.readouterr().out.startswith(f"UNUSABLE {code}: ")
