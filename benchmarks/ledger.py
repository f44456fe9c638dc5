"""How fast the ledger appends, proves and recovers: ``python -m benchmarks.ledger``.

``--postgres URL`` names an empty database for the same measurements on a server, ``--entries`` the
size of the tree that proofs are taken from, and ``--folder`` where the SQLite file is made: in
memory the disk does not count.  Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from adjudge.ledger import Item, Ledger, SigningKey
from adjudge.ledger.audit import audit

RECORD = b"x" * 1000
"""About the size of a small decision record."""

WRITER = """
import sys
from pathlib import Path
from adjudge.ledger import Ledger, SigningKey
with Ledger.open(sys.argv[1], signer=SigningKey.load(Path(sys.argv[2]))) as log:
    while True:
        log.append(b"x" * 1000)
        print(flush=True)
"""


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgres", help="an empty database")
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--folder", help="for the SQLite file (default: the temporary folder)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        print(
            f"{flushes(Path(folder)):,.0f} writes a second reach this disk one after the other.\n"
        )
        key = Path(folder) / "log.key"
        signer = SigningKey.generate(key)
        places = {"SQLite": str(Path(folder) / "ledger.db")}
        if options.postgres:
            places["PostgreSQL"] = options.postgres
        print("| measurement | " + " | ".join(places) + " |")
        print("|---|" + "---:|" * len(places))
        columns = [
            list(measure(url, key, signer, options.entries, options.seconds))
            for url in places.values()
        ]
        for rows in zip(*columns, strict=True):
            print(f"| {rows[0][0]} | " + " | ".join(value for _, value in rows) + " |")


def measure(
    url: str, key: Path, signer: SigningKey, entries: int, seconds: float
) -> Iterator[tuple[str, str]]:
    """Names and values of what is measured."""
    Ledger.init(url, signer, origin="example.com/bench").close()
    for name, signed in (("unsigned", None), ("each with a signed checkpoint", signer)):
        with Ledger.open(url, signer=signed) as log:
            yield f"appends/s, one at a time, {name}", rate(log, 1, seconds)
            yield f"appends/s, 100 at a time, {name}", rate(log, 100, seconds)
    yield "seconds from `kill -9` of a writer to the next append", f"{recovery(url, key):.3f}"
    with Ledger.open(url, signer=signer) as log:
        start, before = time.perf_counter(), len(log)
        while len(log) < entries:
            log.append_all([Item(RECORD)] * min(1000, entries - len(log)))
        spent = time.perf_counter() - start
        yield f"appends/s, 1,000 at a time, up to {entries:,}", f"{(entries - before) / spent:,.0f}"
        yield from proofs(log, entries)
    start = time.perf_counter()
    Ledger.open(url, signer=signer).close()
    yield "milliseconds to open it, with the check of its end", milliseconds(start)
    with Ledger.open(url) as log:
        assert log.key is not None
        start = time.perf_counter()
        assert audit(log, log.key).ok
        yield "seconds for an audit of everything", f"{time.perf_counter() - start:.0f}"


def flushes(folder: Path) -> float:
    """What the disk can do: writes a second of which each waits until it is on disk."""
    handle = os.open(folder / "flush", os.O_WRONLY | os.O_CREAT, 0o600)
    start, done = time.perf_counter(), 0
    while time.perf_counter() - start < 1:
        os.write(handle, bytes(4096))
        os.fdatasync(handle)
        done += 1
    os.close(handle)
    return done / (time.perf_counter() - start)


def rate(log: Ledger, batch: int, seconds: float) -> str:
    """Appends a second."""
    start, done = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        log.append_all([Item(RECORD)] * batch)
        done += batch
    return f"{done / (time.perf_counter() - start):,.0f}"


def recovery(url: str, key: Path) -> float:
    """Seconds until another process has appended after a writer was killed; the median."""
    found = []
    for _ in range(5):
        words = [sys.executable, "-c", WRITER, url, str(key)]
        writer = subprocess.Popen(words, stdout=subprocess.PIPE)
        assert writer.stdout is not None
        for _ in range(20):
            writer.stdout.readline()
        writer.kill()
        writer.communicate()
        start = time.perf_counter()
        with Ledger.open(url, signer=SigningKey.load(key)) as log:
            log.append(RECORD)
        found.append(time.perf_counter() - start)
    return statistics.median(found)


def proofs(log: Ledger, entries: int) -> Iterator[tuple[str, str]]:
    """Sizes and times of proofs of entries anywhere in the log."""
    chance = random.Random(1)
    assert log.key is not None
    times, checks, sizes = [], [], []
    for _ in range(500):
        index = chance.randrange(entries)
        start = time.perf_counter()
        receipt = log.prove(index)
        times.append(time.perf_counter() - start)
        start = time.perf_counter()
        receipt.verify(log.key)
        checks.append(time.perf_counter() - start)
        sizes.append(len(receipt.text))
    yield f"hashes in a proof at {entries:,} entries", str(len(receipt.path))
    yield "bytes of a receipt, with leaf and checkpoint", f"{statistics.median(sizes):,.0f}"
    yield "milliseconds to make a receipt", f"{statistics.median(times) * 1000:.2f}"
    yield "milliseconds to verify it", f"{statistics.median(checks) * 1000:.2f}"
    start = time.perf_counter()
    log.prove_consistency(entries // 3)
    yield "milliseconds to prove consistency with a third", milliseconds(start)


def milliseconds(start: float) -> str:
    """The time since, in milliseconds."""
    return f"{(time.perf_counter() - start) * 1000:.1f}"


if __name__ == "__main__":
    main()
