#!/usr/bin/env python3
"""Checks packs, receipts and ledgers of adjudge, offline: keys and files in, a verdict out.

This file stands alone: it needs Python 3.10 or later and the package ``cryptography``, and shares
no code with adjudge.  Read it before you rely on it; that is what it is for.

    python verify.py evidence.tar --signer gate.pub --key log.pub
    python verify.py decision.tlog-proof --key log.pub --record decision.json
    python verify.py ledger.zip --key log.pub --since checkpoint-of-last-month
    python verify.py consistency.txt --key log.pub --since checkpoint-of-last-month

The key has to come from its owner, not from what is checked.  Exit codes: 0 verified, 1 not
verified, 2 the command or a file cannot be used.

Formats: C2SP signed-note, tlog-checkpoint, tlog-cosignature, tlog-proof; RFC 6962 trees; RFC 8785
canonical JSON.  What is not covered: signature lines of keys that were not given, and what a zip
archive holds besides the names and contents of its members.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import math
import re
import sys
import zipfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

MAX_NOTE = 1 << 20
MAX_SIGNATURES = 100
MAX_SMALL = 1 << 26
MAX_LINE = 96 << 20
MAX_MEMBERS = 100_000
CLOCK_TOLERANCE = 300
LEAF = "adjudge.ledger-leaf/v1"
EXPORT = "adjudge.ledger-export/v1"
PROOF = "c2sp.org/tlog-proof@v1"
PACK = "urn:adjudge:predicate:evidence-pack:v1"
STATEMENT = "pack.intoto.json"
MEMBER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*")
MAX_EVIDENCE = 2 << 30
NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")
HEX = re.compile(r"[0-9a-f]{64}")

Head = tuple[str, int, bytes]  # a checkpoint: origin, size, root
Key = tuple[str, int, bytes, bytes]  # a verifier key: name, kind, public key, key id
Seen = tuple[str, int | None]  # a witness and its time
Part = tuple[int, str | None]  # an entry and the name of a private value; None: its record


class Failed(Exception):
    """It does not verify: a code, and a sentence."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class Unusable(Exception):
    """The command or a file cannot be used."""


# --- hashes (RFC 6962, section 2.1; RFC 9162, sections 2.1.3.2 and 2.1.4.2) -----------------------


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """A tree that grows by leaves and knows its root; it keeps one hash for each level."""

    def __init__(self) -> None:
        self.size = 0
        self.peaks: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        value, number = leaf, self.size
        while number & 1:
            value = node_hash(self.peaks.pop(), value)
            number >>= 1
        self.peaks.append(value)
        self.size += 1

    def root(self) -> bytes:
        if not self.peaks:
            return hashlib.sha256(b"").digest()
        value = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            value = node_hash(peak, value)
        return value


def check_inclusion(index: int, size: int, leaf: bytes, path: list[bytes], root: bytes) -> None:
    if not 0 <= index < size:
        raise Failed("proof_invalid", f"there is no entry {index} in a tree of {size}")
    fn, sn, value = index, size - 1, leaf
    for step in path:
        if sn == 0:
            raise Failed("proof_invalid", "the proof is longer than the tree is high")
        if fn & 1 or fn == sn:
            value = node_hash(step, value)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            value = node_hash(value, step)
        fn, sn = fn >> 1, sn >> 1
    if sn or value != root:
        raise Failed("proof_invalid", "the proof does not lead from the entry to the signed root")


def check_consistency(old: Head, new: Head, path: list[bytes]) -> None:
    differ = Failed("checkpoint_inconsistent", "the newer checkpoint does not continue the older")
    if old[0] != new[0]:
        raise Failed("checkpoint_origin_mismatch", f"one is of {old[0]}, the other of {new[0]}")
    if old[1] > new[1]:
        raise Failed("checkpoint_shrank", f"the log had {old[1]} entries and now has {new[1]}")
    if old[1] in (0, new[1]):
        if path or (old[1] and old[2] != new[2]):
            raise differ
        return
    steps = list(path)
    if old[1] & (old[1] - 1) == 0:
        steps.insert(0, old[2])
    if not steps:
        raise differ
    fn, sn = old[1] - 1, new[1] - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    before = after = steps[0]
    for step in steps[1:]:
        if sn == 0:
            raise differ
        if fn & 1 or fn == sn:
            before, after = node_hash(step, before), node_hash(step, after)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            after = node_hash(after, step)
        fn, sn = fn >> 1, sn >> 1
    if sn or before != old[2] or after != new[2]:
        raise differ


# --- notes and checkpoints ------------------------------------------------------------------------


def unbase64(text: str, code: str) -> bytes:
    """The bytes of base64 in its one canonical spelling."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        data = b""
    if not data or base64.b64encode(data).decode() != text:
        raise Failed(code, "something is not base64 in canonical form")
    return data


def read_key(given: str) -> Key:
    """(name, kind, public key, key id) of a verifier key, given as text or as a file."""
    text = given
    if given.count("+") < 2:
        text = read_file(given, 1 << 16).decode("utf-8", "replace")
    try:
        name, key_id, encoded = text.strip().split("+", 2)
        raw = unbase64(encoded, "key_invalid")
    except (ValueError, Failed):
        raise Unusable(f"key_invalid: {given[:200]} is no verifier key") from None
    derived = hashlib.sha256(name.encode("utf-8", "replace") + b"\n" + raw).digest()[:4]
    if len(raw) != 33 or raw[0] not in (1, 4) or derived.hex() != key_id:
        raise Unusable(f"key_invalid: {given[:200]} is no Ed25519 verifier key")
    return name, raw[0], raw[1:], derived


def split_note(data: bytes) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """The text of a note, and its signatures: (name, key id, value)."""
    bad = Failed("note_malformed", "it is no signed note")
    if len(data) > MAX_NOTE:
        raise Failed("note_too_large", f"the note is larger than {MAX_NOTE} bytes")
    try:
        note = data.decode("utf-8")
    except UnicodeDecodeError:
        raise bad from None
    text, gap, lines = note.rpartition("\n\n")
    if not gap or not text or not lines.endswith("\n"):
        raise bad
    if any(c < " " and c != "\n" for c in note):
        raise bad
    signatures: list[tuple[str, bytes, bytes]] = []
    for line in lines[:-1].split("\n"):
        parts = line.split(" ")
        if len(parts) != 3 or parts[0] != "\u2014" or not parts[1]:
            raise bad
        raw = unbase64(parts[2], "note_malformed")
        if len(raw) < 5 or any(s[:2] == (parts[1], raw[:4]) for s in signatures):
            raise Failed("note_malformed", "a signature is cut, or a key signed twice")
        signatures.append((parts[1], raw[:4], raw[4:]))
        if len(signatures) > MAX_SIGNATURES:
            raise Failed("note_too_large", f"there are more than {MAX_SIGNATURES} signatures")
    return text + "\n", signatures


def check_checkpoint(
    data: bytes, key: Key, witnesses: Sequence[Key] = (), quorum: int = 0
) -> tuple[Head, list[Seen]]:
    """The checkpoint (origin, size, root) in a note that the log signed, and its witnesses."""
    text, signatures = split_note(data)
    signed, seen = False, {}
    for name, key_id, value in signatures:
        for known in (key, *witnesses):
            if (name, key_id) == (known[0], known[3]):
                time = check_signature(text, known, value)
                if known is key:
                    signed = True
                else:
                    seen[known[2]] = (name, time)
    if not signed:
        raise Failed("note_untrusted", f"{key[0]} did not sign it")
    if len(seen) < quorum:
        raise Failed("witnesses_missing", f"{len(seen)} of the witnesses signed, not {quorum}")
    lines = text.split("\n")
    if len(lines) < 4 or not all(lines[:-1]) or not NUMBER.fullmatch(lines[1]):
        raise Failed("checkpoint_malformed", "the note is no checkpoint")
    root = unbase64(lines[2], "checkpoint_malformed")
    if len(root) != 32:
        raise Failed("checkpoint_malformed", "the root is not one")
    if lines[0] != key[0]:
        raise Failed("checkpoint_origin_mismatch", f"it is of the log {lines[0]}, not of {key[0]}")
    return (lines[0], int(lines[1]), root), list(seen.values())


def check_signature(text: str, key: Key, value: bytes) -> int | None:
    """The time of a cosignature, or None; fails when a known key's signature is bad."""
    message, time = text.encode(), None
    if key[1] == 4:
        time = int.from_bytes(value[:8], "big")
        value, message = value[8:], f"cosignature/v1\ntime {time}\n{text}".encode()
    try:
        if time is not None and time >= 1 << 63:
            raise InvalidSignature
        Ed25519PublicKey.from_public_bytes(key[2]).verify(value, message)
    except (InvalidSignature, ValueError):
        raise Failed("note_signature_invalid", f"the signature of {key[0]} is not good") from None
    return time


# --- leaves, records, receipts --------------------------------------------------------------------


def load_json(data: bytes, code: str) -> Any:
    """JSON without duplicate members, NaN or Infinity."""

    def members(pairs: list[tuple[str, Any]]) -> Any:
        if len(dict(pairs)) != len(pairs):
            raise ValueError("a member is there twice")
        return dict(pairs)

    def constant(name: str) -> Any:
        raise ValueError(name)

    try:
        return json.loads(data, object_pairs_hook=members, parse_constant=constant)
    except (ValueError, RecursionError) as error:
        raise Failed(code, f"it is not JSON: {error}") from None


def read_leaf(data: bytes) -> Any:
    leaf = load_json(data, "leaf_malformed")
    fields = {"schema", "kind", "id", "time", "record", "private"}
    if not isinstance(leaf, dict) or set(leaf) != fields or leaf["schema"] != LEAF:
        raise Failed("leaf_malformed", f"it is no {LEAF}")
    private = leaf["private"]
    texts = [leaf["kind"], leaf["id"], leaf["time"]]
    if not all(isinstance(t, str) and t for t in texts) or not isinstance(private, dict):
        raise Failed("leaf_malformed", "a member is of the wrong kind")
    if not all(
        isinstance(h, str) and HEX.fullmatch(h) for h in [leaf["record"], *private.values()]
    ):
        raise Failed("leaf_malformed", "a digest is not one")
    return leaf


def canonical(value: Any) -> str:
    """RFC 8785, for what decision records hold."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda k: k.encode("utf-16-be", "surrogatepass"))
        return "{" + ",".join(f"{canonical(k)}:{canonical(value[k])}" for k in keys) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, float):
        return canonical_float(value)
    return json.dumps(value, ensure_ascii=False)


def canonical_data(value: Any) -> bytes:
    try:
        return canonical(value).encode("utf-8", "surrogatepass")
    except RecursionError:
        raise Failed("record_malformed", "it nests too deep") from None


def canonical_float(value: float) -> str:
    """As ECMAScript writes a number."""
    if value == 0:
        return "0"
    if not math.isfinite(value):
        raise Failed("record_malformed", "the record holds a number that is none")
    parts = Decimal(repr(value)).as_tuple()
    figures = "".join(map(str, parts.digits))
    power = len(figures) + int(parts.exponent) - 1
    figures = figures.rstrip("0")
    sign = "-" if value < 0 else ""
    if 0 <= power < 21:
        whole = figures[: power + 1].ljust(power + 1, "0")
        rest = figures[power + 1 :]
        return f"{sign}{whole}.{rest}" if rest else f"{sign}{whole}"
    if -7 < power < 0:
        return f"{sign}0.{'0' * (-power - 1)}{figures}"
    point = f".{figures[1:]}" if figures[1:] else ""
    return f"{sign}{figures[0]}{point}e{'+' if power > 0 else '-'}{abs(power)}"


def check_record(leaf: Any, data: bytes) -> None:
    """The record is the one of the leaf: as it is, or as a decision in any JSON spelling."""
    if hashlib.sha256(data).hexdigest() == leaf["record"]:
        return
    try:
        value = load_json(data, "record_mismatch")
        if isinstance(value, dict):
            # What `adjudge check --output json` adds to what is logged.
            stripped = {k: v for k, v in value.items() if k not in ("digest", "timings")}
            if hashlib.sha256(canonical_data(stripped)).hexdigest() == leaf["record"]:
                return
    except (Failed, RecursionError):
        pass
    raise Failed("record_mismatch", f"the record is not the one that was logged as {leaf['id']}")


def check_private(leaf: Any, name: str, salt: bytes, value: bytes) -> None:
    message = b"adjudge.ledger-private/v1\n%b\n%b" % (name.encode("utf-8", "replace"), value)
    if hmac.new(salt, message, "sha256").hexdigest() != leaf["private"].get(name):
        raise Failed("commitment_mismatch", f"{leaf['id']}: {name} is not what was logged")


def read_path(lines: list[str]) -> list[bytes]:
    path = [unbase64(line, "proof_malformed") for line in lines]
    if any(len(h) != 32 for h in path) or len(path) > 124:
        raise Failed("proof_malformed", "a hash of the proof is none")
    return path


def split_proof(data: bytes) -> tuple[list[str], bytes]:
    head, gap, note = data.partition(b"\n\n")
    if len(data) > 2 * MAX_NOTE or not gap or not head.isascii():
        raise Failed("proof_malformed", "it is no proof")
    return head.decode().split("\n"), note


def proof_number(text: str, word: str) -> int:
    if not text.startswith(word + " ") or not NUMBER.fullmatch(text[len(word) + 1 :]):
        raise Failed("proof_malformed", f"there is no line with the {word}")
    return int(text[len(word) + 1 :])


def check_receipt(data: bytes, record: bytes | None, options: Any) -> Any:
    """Says what a receipt proves."""
    lines, note = split_proof(data)
    if len(lines) < 3 or lines[0] != PROOF or not lines[1].startswith("extra "):
        raise Failed("proof_malformed", "it is no receipt of a ledger")
    leaf_data = unbase64(lines[1][6:], "proof_malformed")
    index, path = proof_number(lines[2], "index"), read_path(lines[3:])
    head, seen = check_checkpoint(note, options.key, options.witness, options.witnesses)
    check_inclusion(index, head[1], leaf_hash(leaf_data), path, head[2])
    leaf = read_leaf(leaf_data)
    if record is not None:
        check_record(leaf, record)
    say(f"entry {index} of {head[1]} in {head[0]}: {leaf['kind']} {leaf['id']}, {leaf['time']}")
    say_witnesses(seen)
    return leaf


# --- packs ----------------------------------------------------------------------------------------


class Pack:
    """A zip archive whose members are those of its manifest, byte for byte."""

    def __init__(self, path: str) -> None:
        try:
            self.zip = zipfile.ZipFile(path)
        except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise Failed("pack_malformed", f"it is no zip archive: {error}") from None
        infos = self.zip.infolist()
        self.infos = {i.filename: i for i in infos}
        if len(self.infos) != len(infos) or len(infos) > MAX_MEMBERS:
            raise Failed("pack_malformed", "a member is there twice, or there are too many")
        self.manifest_data = self.small("manifest.json")
        self.manifest = load_json(self.manifest_data, "pack_malformed")
        if not isinstance(self.manifest, dict) or not isinstance(self.manifest.get("files"), dict):
            raise Failed("pack_malformed", "its manifest is none")
        if canonical_data(self.manifest) != self.manifest_data:
            raise Failed("pack_malformed", "its manifest is not in canonical form")
        self.check_members()

    def check_members(self) -> None:
        files = self.manifest["files"]
        found = set(self.infos) - {"manifest.json"}
        if set(files) != found:
            odd = sorted(set(files) ^ found)
            raise Failed("pack_member_mismatch", f"missing or not in the manifest: {odd[:3]}")
        for name, about in files.items():
            digest, size = hashlib.sha256(), 0
            with self.open(name) as member:
                while chunk := self.read(member, 1 << 20):
                    digest.update(chunk)
                    size += len(chunk)
            if not isinstance(about, dict) or about != {"sha256": digest.hexdigest(), "size": size}:
                raise Failed("pack_member_mismatch", f"{name} is not what the manifest says")

    def open(self, name: str) -> Any:
        try:
            return self.zip.open(self.infos[name])
        except KeyError:
            raise Failed("pack_malformed", f"{name} is missing") from None
        except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
            raise Failed("pack_malformed", f"{name} cannot be read: {error}") from None

    def read(self, member: Any, size: int) -> bytes:
        try:
            data: bytes = member.read(size)
            return data
        except Exception as error:  # zlib and zipfile raise much on damaged archives
            raise Failed("pack_malformed", f"{member.name} cannot be read: {error}") from None

    def small(self, name: str) -> bytes:
        with self.open(name) as member:
            data = self.read(member, MAX_SMALL + 1)
        if len(data) > MAX_SMALL:
            raise Failed("pack_malformed", f"{name} is too large")
        return data

    def lines(self, name: str) -> Iterator[bytes]:
        """The lines of a member without their ends; none when there is no such member."""
        if name not in self.infos:
            return
        with self.open(name) as member:
            while line := member.readline(MAX_LINE + 1):
                if not line.endswith(b"\n"):
                    raise Failed("pack_malformed", f"a line of {name} is cut, or too long")
                yield line[:-1]


def check_pack(path: str, options: Any) -> None:
    pack = Pack(path)
    if pack.manifest.get("schema") != EXPORT:
        raise Failed("pack_malformed", "it is no export of a ledger of this version")
    say(f"{len(pack.manifest['files'])} files are those of the manifest")
    check_export(pack, options)


def check_export(pack: Pack, options: Any) -> None:
    """A whole log: every leaf, record and checkpoint."""
    head, seen = check_checkpoint(
        pack.small("checkpoint"), options.key, options.witness, options.witnesses
    )
    about = pack.manifest
    if (about.get("origin"), about.get("size")) != head[:2]:
        raise Failed("pack_malformed", "the manifest is of another log than the checkpoint")
    name, kind, public, key_id = options.key
    key = f"{name}+{key_id.hex()}+{base64.b64encode(bytes([kind]) + public).decode()}"
    if about.get("key") != key:
        raise Failed("pack_malformed", "the manifest names another key")
    tree = Replay(pack)
    for line in pack.lines("checkpoints.jsonl"):
        note = str(load_json(line, "pack_malformed")).encode("utf-8", "replace")
        tree.expect(check_checkpoint(note, options.key)[0])
    if options.since is not None:
        if options.since[1] > head[1]:
            check_consistency(options.since, head, [])
        tree.expect(options.since)
    proof, old = None, 0
    if "consistency" in pack.infos:
        proof, note_data = split_proof(pack.small("consistency"))
        old = proof_number(proof[0], "old")
        if check_checkpoint(note_data, options.key)[0] != head:
            raise Failed("pack_malformed", "its proof of consistency is for another checkpoint")
    root = tree.run(head, old)
    if proof is not None:
        check_consistency((head[0], old, root), head, read_path(proof[1:]))
    say(f"{head[1]} entries are the tree that {head[0]} signed, with {tree.compared} checkpoints")
    say_witnesses(seen)


class Replay:
    """Builds the tree again from the leaves of a pack, and compares all that depends on it."""

    def __init__(self, pack: Pack) -> None:
        self.pack = pack
        self.tree = Tree()
        self.expected: dict[int, list[Head]] = {}
        self.compared = 0
        self.gone: set[Part] = set()
        self.erased: set[Part] = set()
        self.records = Indexed(pack, "records.jsonl", "record")
        self.private = None
        if "private.jsonl" in pack.infos:
            self.private = Indexed(pack, "private.jsonl", "name", "salt", "value")

    def expect(self, head: Head) -> None:
        self.expected.setdefault(head[1], []).append(head)

    def compare(self) -> None:
        for head in self.expected.pop(self.tree.size, []):
            self.compared += 1
            if head[2] != self.tree.root():
                sentence = f"the checkpoint at {head[1]} is of another tree"
                raise Failed("checkpoint_inconsistent", sentence)

    def run(self, head: Head, old: int) -> bytes:
        """Compares everything; the root when there were ``old`` entries."""
        self.compare()
        root, last = self.tree.root(), None
        for data in self.pack.lines("leaves.jsonl"):
            index, leaf = self.tree.size, read_leaf(data)
            self.check_records(index, leaf)
            self.check_values(index, leaf)
            last = check_time(leaf, index, last)
            self.tree.add(leaf_hash(data))
            self.compare()
            if self.tree.size == old:
                root = self.tree.root()
        if (self.tree.size, self.tree.root()) != head[1:] or self.expected:
            raise Failed("checkpoint_inconsistent", "the entries are not those of the checkpoint")
        self.records.end()
        if self.private is not None:
            self.private.end()
        if self.gone - self.erased:
            index, name = min(self.gone - self.erased, key=str)
            sentence = f"entry {index}: {name or 'the record'} is gone, and nothing says why"
            raise Failed("ledger_value_missing", sentence)
        if self.gone:
            say(f"{len(self.gone)} records and private values were erased, as the log says")
        return root

    def check_records(self, index: int, leaf: Any) -> None:
        lines = self.records.at(index)
        if not lines:
            self.gone.add((index, None))
        for line in lines:
            record = unbase64(line["record"], "pack_malformed") if line["record"] else b""
            if hashlib.sha256(record).hexdigest() != leaf["record"]:
                raise Failed("record_mismatch", f"entry {index} has another record than was logged")
            if leaf["kind"] == "erasure":
                self.erased.update(read_erasure(record))

    def check_values(self, index: int, leaf: Any) -> None:
        if self.private is None:
            return
        names = set(leaf["private"])
        for line in self.private.at(index):
            salt = unbase64(line["salt"], "pack_malformed")
            value = unbase64(line["value"], "pack_malformed") if line["value"] else b""
            check_private(leaf, line["name"], salt, value)
            names.discard(line["name"])
        self.gone.update((index, name) for name in names)


class Indexed:
    """A member of JSON lines that name the entries they belong to, in order."""

    def __init__(self, pack: Pack, name: str, *fields: str) -> None:
        self.name = name
        self.fields = fields
        self.rest = pack.lines(name)
        self.next()

    def next(self) -> None:
        self.line: Any = None
        for data in self.rest:
            self.line = load_json(data, "pack_malformed")
            line = self.line if isinstance(self.line, dict) else {}
            texts = all(isinstance(line.get(name), str) for name in self.fields)
            if not texts or set(line) != {"index", *self.fields} or type(line["index"]) is not int:
                raise Failed("pack_malformed", f"a line of {self.name} is not what it should be")
            return

    def at(self, index: int) -> list[Any]:
        found = []
        while self.line is not None and self.line["index"] == index:
            found.append(self.line)
            self.next()
        return found

    def end(self) -> None:
        if self.line is not None:
            raise Failed("pack_malformed", f"{self.name} has lines that belong to no entry")


def read_erasure(record: bytes) -> set[Part]:
    about = load_json(record, "leaf_malformed")
    try:
        names = [str(name) for name in about["private"]] + ([None] if about["record"] else [])
        return {(int(about["entry"]), name) for name in names}
    except (KeyError, TypeError, ValueError):
        raise Failed("leaf_malformed", "the record of an erasure is none") from None


def check_time(leaf: Any, index: int, last: datetime | None) -> datetime:
    try:
        now = datetime.strptime(leaf["time"], "%Y-%m-%dT%H:%M:%S.%fZ")
    except ValueError:
        raise Failed("leaf_malformed", f"entry {index} has no time") from None
    if last is not None and (last - now).total_seconds() > CLOCK_TOLERANCE:
        say(f"note: entry {index} says it is older than the one before (ledger_clock_backwards)")
    return now


# --- evidence packs -------------------------------------------------------------------------------


def check_evidence(data: bytes, options: Any) -> None:
    """An archive whose members one signed statement names, and which prove one another."""
    members = read_tar(data)
    statement = signed_statement(member_of(members, STATEMENT), options.signer)
    if statement.get("predicateType") != PACK:
        raise Failed("pack_malformed", "the signed statement is not about a pack")
    named = {str(s["name"]): s["digest"]["sha256"] for s in statement["subject"]}
    found = {n: hashlib.sha256(m).hexdigest() for n, m in members.items() if n != STATEMENT}
    if named != found:
        odd = sorted(n for n in {*named, *found} if named.get(n) != found.get(n))
        raise Failed("pack_member_mismatch", f"changed, missing or added: {odd[:3]}")
    record = member_of(members, "decision.json")
    decision = load_json(record, "record_malformed")
    about = stated_decision(statement)
    check_stated(about, record, decision)
    say(f"{len(found)} members are those that were signed")
    say(f"decision {about['id']}: {about['outcome']}, {about['time']}")
    check_attestations(members, record, decision, options)
    if "receipt.tlog-proof" in members:
        if options.key is None:
            raise Unusable("key_missing: the pack has a receipt; give --key with the log's key")
        check_receipt(members["receipt.tlog-proof"], record, options)
    if "recording.json" in members:
        check_recording(members, decision)
    waivers = decision["input"]["waivers_digest"]
    if "waivers.yaml" in members and found["waivers.yaml"] != waivers:
        raise Failed("pack_contradicts", "the waivers are not those that were applied")


def member_of(members: dict[str, bytes], name: str) -> bytes:
    if name not in members:
        raise Failed("pack_malformed", f"{name} is missing")
    return members[name]


def read_tar(data: bytes) -> dict[str, bytes]:
    """The members of a POSIX archive as adjudge writes it; one odd byte and it is none."""
    members: dict[str, bytes] = {}
    at, last = 0, ""
    while data[at : at + 512] != bytes(512):
        header = data[at : at + 512]
        try:
            name, size = header[:100].rstrip(b"\0").decode("ascii"), int(header[124:135], 8)
        except ValueError:
            raise Failed("pack_malformed", "the archive is cut off, or is none") from None
        if not MEMBER.fullmatch(name) or name <= last or tar_header(name, size) != header:
            raise Failed("pack_malformed", "a member of the archive has a header that is wrong")
        end = at + 512 + size
        members[name], last = data[at + 512 : end], name
        at = end + (-size % 512)
        if at > len(data) or any(data[end:at]) or len(members) > MAX_MEMBERS:
            raise Failed("pack_malformed", f"{name} is cut off")
    if data[at:] != bytes(1024):
        raise Failed("pack_malformed", "something stands behind the end of the archive")
    return members


def tar_header(name: str, size: int) -> bytes:
    head = name.encode().ljust(100, b"\0") + b"0000644\0" + b"0000000\0" * 2
    head += b"%011o\0" % size + b"0" * 11 + b"\0" + b" " * 8 + b"0" + bytes(100)
    head += b"ustar\x0000" + bytes(64) + b"0000000\0" * 2 + bytes(167)
    return head[:148] + b"%06o\0 " % sum(head) + head[156:]


def read_signer(path: str) -> Any:
    try:
        key = load_pem_public_key(read_file(path, 1 << 16))
    except (ValueError, UnsupportedAlgorithm):
        raise Unusable(f"key_invalid: {path} is no public key in PEM form") from None
    if not isinstance(key, (Ed25519PublicKey, ec.EllipticCurvePublicKey, rsa.RSAPublicKey)):
        raise Unusable(f"key_invalid: {path} is a key of another algorithm")
    return key


def key_fits(key: Any, signature: bytes, message: bytes) -> bool:
    try:
        if isinstance(key, Ed25519PublicKey):
            key.verify(signature, message)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            sizes = {256: hashes.SHA256(), 384: hashes.SHA384(), 521: hashes.SHA512()}
            key.verify(signature, message, ec.ECDSA(sizes[key.key_size]))
        else:
            pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
            key.verify(signature, message, pss, hashes.SHA256())
    except (InvalidSignature, ValueError, KeyError):
        return False
    return True


def signed_statement(data: bytes, signers: Sequence[Any]) -> Any:
    """The in-toto statement in a DSSE envelope that one of the signers signed."""
    envelope = load_json(data, "envelope_malformed")
    try:
        payload = unbase64(envelope["payload"], "envelope_malformed")
        kind, values = envelope["payloadType"], [s["sig"] for s in envelope["signatures"]]
        signatures = [unbase64(value, "envelope_malformed") for value in values]
        if kind != "application/vnd.in-toto+json" or len(signatures) > MAX_SIGNATURES:
            raise ValueError
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Failed("envelope_malformed", "it is no envelope of a statement") from None
    message = b"DSSEv1 %d %b %d %b" % (len(kind), kind.encode(), len(payload), payload)
    if not any(key_fits(key, value, message) for key in signers for value in signatures):
        raise Failed("envelope_untrusted", "none of the signers signed it, or it was changed")
    statement = load_json(payload, "statement_malformed")
    try:
        well = all(HEX.fullmatch(s["digest"]["sha256"]) and s["name"] for s in statement["subject"])
        if not well or statement["_type"] != "https://in-toto.io/Statement/v1":
            raise ValueError
    except (KeyError, TypeError, ValueError):
        raise Failed("statement_malformed", "what was signed is no statement") from None
    return statement


def stated_decision(statement: Any) -> Any:
    try:
        about = statement["predicate"]["adjudge_decision"]
        if not all(isinstance(about[m], str) for m in ("id", "outcome", "time")):
            raise ValueError
        if not HEX.fullmatch(about["digest"]["sha256"]):
            raise ValueError
    except (KeyError, TypeError, ValueError):
        raise Failed("statement_malformed", "the statement is not about a decision") from None
    return about


def check_stated(about: Any, record: bytes, decision: Any) -> None:
    """The record is the one that was signed, in its canonical form."""
    if hashlib.sha256(record).hexdigest() != about["digest"]["sha256"]:
        raise Failed("record_mismatch", "the record is not the one that was signed")
    said = (decision.get("decision_id"), decision.get("outcome"), decision.get("time"))
    if said != (about["id"], about["outcome"], about["time"]):
        raise Failed("record_mismatch", "the statement and the record say different things")


def check_attestations(
    members: dict[str, bytes], record: bytes, decision: Any, options: Any
) -> None:
    judged = {s["digest"]["sha256"] for s in decision["subject"] if s["digest"]}
    for line in members.get("attestation.intoto.jsonl", b"").splitlines():
        envelope = load_json(line, "envelope_malformed")
        if isinstance(envelope, dict) and "verificationMaterial" in envelope:
            say("note: a Sigstore bundle is not verified here; `adjudge verify` does that")
            continue
        statement = signed_statement(line, [*options.signer, *options.attester])
        check_stated(stated_decision(statement), record, decision)
        if {s["digest"]["sha256"] for s in statement["subject"]} != judged:
            raise Failed("pack_contradicts", "the attestation is about other subjects")
        say(f"attested: {statement.get('predicateType')}")


def check_recording(members: dict[str, bytes], decision: Any) -> None:
    """The policies have the digest that the decision names; parts are named by theirs."""
    described = load_json(members["recording.json"], "pack_malformed")
    for name, data in members.items():
        if name.startswith("parts/") and name != f"parts/{hashlib.sha256(data).hexdigest()}":
            raise Failed("pack_member_mismatch", f"{name} has another digest")
    try:
        files = [{"path": f["path"], "sha256": f["sha256"]} for f in described["policies"]["files"]]
        for file in files:
            member_of(members, f"parts/{file['sha256']}")
        ordered = sorted(files, key=lambda f: (f["path"], f["sha256"]))
        digest = hashlib.sha256(canonical_data(ordered)).hexdigest()
    except (KeyError, TypeError):
        raise Failed("pack_malformed", "the recording is none") from None
    if digest != decision["policy"]["digest"]:
        raise Failed("pack_contradicts", "the policies are not those that decided")
    say(f"{len(files)} policy files are those that decided")


# --- the command ----------------------------------------------------------------------------------


def say(text: str) -> None:
    print("".join(c if c.isprintable() else "?" for c in text))


def say_witnesses(seen: list[Seen]) -> None:
    for name, time in seen:
        say(f"witnessed by {name} at {time} (seconds since 1970)")


def read_file(path: str, limit: int) -> bytes:
    try:
        with open(path, "rb") as file:
            data = file.read(limit + 1)
    except (OSError, ValueError) as error:
        raise Unusable(f"file_unreadable: {path}: {error}") from None
    if len(data) > limit:
        raise Unusable(f"file_too_large: {path} is larger than {limit} bytes")
    return data


def read_start(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(512)
    except (OSError, ValueError) as error:
        raise Unusable(f"file_unreadable: {path}: {error}") from None


def is_tar(start: bytes) -> bool:
    return start[257:262] == b"ustar"


def verify(options: Any) -> None:
    """Raises Failed or Unusable unless everything that was asked for verifies."""
    options.signer = [read_signer(path) for path in options.signer]
    options.attester = [read_signer(path) for path in options.attester]
    options.witness = [read_key(w) for w in options.witness]
    if options.key is not None:
        options.key = read_key(options.key)
        if options.key[1] != 1:
            raise Unusable("key_invalid: --key is the key of a witness")
    start = read_start(options.file)
    if is_tar(start):
        if not options.signer:
            raise Unusable("signer_missing: a pack needs --signer with the key of who made it")
        try:
            check_evidence(read_file(options.file, MAX_EVIDENCE), options)
        except (KeyError, TypeError, AttributeError) as error:
            raise Failed("pack_malformed", f"a record lacks what it needs: {error}") from None
        return
    start = start[:4]
    if options.key is None:
        raise Unusable("key_missing: give --key with the log's verifier key")
    if options.since is not None:
        options.since = check_checkpoint(read_file(options.since, MAX_NOTE + 1), options.key)[0]
    if start.startswith(b"PK"):
        check_pack(options.file, options)
        return
    data = read_file(options.file, 4 * MAX_NOTE)
    record = None if options.record is None else read_file(options.record, MAX_LINE)
    if start == b"old ":
        if options.since is None:
            raise Unusable("since_missing: a proof of consistency needs --since CHECKPOINT")
        lines, note = split_proof(data)
        head, seen = check_checkpoint(note, options.key, options.witness, options.witnesses)
        if head[1] >= options.since[1] != proof_number(lines[0], "old"):
            raise Failed("proof_invalid", f"the proof is not from {options.since[1]} entries")
        check_consistency(options.since, head, read_path(lines[1:]))
        say(f"{head[0]}: {head[1]} entries continue the {options.since[1]} that were known")
        say_witnesses(seen)
    elif start == PROOF[:4].encode():
        if record is None:
            raise Unusable("record_missing: a receipt is about a record; give --record FILE")
        check_receipt(data, record, options)
    else:
        head, seen = check_checkpoint(data, options.key, options.witness, options.witnesses)
        say(f"{head[0]} signed {head[1]} entries, root {head[2].hex()}")
        say_witnesses(seen)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description="Check a pack, a receipt, an exported ledger, a proof of consistency or a "
        "checkpoint, offline.",
        epilog="Exit codes: 0 verified, 1 not verified, 2 unusable.",
    )
    parser.add_argument("file", help="a pack (.tar), a .tlog-proof, an export (.zip), a checkpoint")
    parser.add_argument("--key", help="the log's verifier key, or a file with it")
    parser.add_argument(
        "--signer", action="append", default=[], help="the PEM key of who made a pack; repeatable"
    )
    parser.add_argument(
        "--attester", action="append", default=[], help="who else may attest in it; repeatable"
    )
    parser.add_argument("--record", help="the record that a receipt is for")
    parser.add_argument("--since", help="a checkpoint that was verified and kept before")
    parser.add_argument(
        "--witness", action="append", default=[], help="a witness's key; repeatable"
    )
    parser.add_argument(
        "--witnesses", type=int, default=0, help="how many of them must have signed"
    )
    options = parser.parse_args(argv)
    try:
        verify(options)
    except Failed as error:
        say(f"NOT VERIFIED {error.code}: {error}")
        return 1
    except Unusable as error:
        say(f"UNUSABLE {error}")
        return 2
    say("VERIFIED")
    return 0


if __name__ == "__main__":
    sys.exit(main())
