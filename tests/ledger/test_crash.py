"""``kill -9`` during appends: nothing that was acknowledged is lost, and the tree is consistent.

ADJUDGE_TEST_KILLS says how often.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from adjudge.ledger import Ledger, SigningKey
from adjudge.ledger.audit import audit

WRITER = """
import sys
from pathlib import Path
from adjudge.ledger import Item, Ledger, SigningKey
url, key, name, size = sys.argv[1:]
with Ledger.open(url, signer=SigningKey.load(Path(key))) as log:
    number = 0
    while True:
        ids = [f"{name}-{number + n}" for n in range(int(size))]
        log.append_all([Item(b"x" * 300, id, private={"v": b"secret"}) for id in ids])
        number += len(ids)
        sys.stdout.write("".join(f"{id}\\n" for id in ids))
        sys.stdout.flush()
"""


def start(url: str, key: Path, name: str, size: int) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-c", WRITER, url, str(key), name, str(size)]
    return subprocess.Popen(words, stdout=subprocess.PIPE)


def test_writers_that_are_killed(url: str, ledger: Ledger, tmp_path: Path) -> None:
    key = tmp_path / "log.key"
    rounds = int(os.environ.get("ADJUDGE_TEST_KILLS", "4"))
    chance = random.Random(rounds)
    acknowledged: list[str] = []
    for n in range(rounds):
        one, two = (start(url, key, f"{n}{w}", size) for w, size in (("a", 1), ("b", 7)))
        for writer in (one, two):
            assert writer.stdout is not None
            acknowledged.append(writer.stdout.readline().decode().strip())
        time.sleep(chance.random() * 0.2)
        for writer in (one, two):
            writer.kill()
            out = writer.communicate()[0].decode()
            # The last line may be cut; then nobody was told of that entry.
            acknowledged += [line for line in out.splitlines(keepends=True) if line.endswith("\n")]
        with Ledger.open(url, signer=SigningKey.load(key)) as log:
            log.append(b"after", id=f"{n}-after")
    assert ledger.key is not None
    ids = {e.leaf.id for e in ledger.entries()}
    assert {id.strip() for id in acknowledged} <= ids
    assert len(acknowledged) >= 2 * rounds
    found = audit(ledger, ledger.key)
    assert found.problems == found.warnings == []
    # A batch is there whole, or not at all.
    for n in range(rounds):
        assert sum(id.startswith(f"{n}b-") for id in ids) % 7 == 0


def test_a_server_that_is_killed(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    private = request.getfixturevalue("private_server")
    url = f"postgresql://postgres@/postgres?host={private.folder}"
    key = SigningKey.generate(tmp_path / "log.key")
    acknowledged = []
    with Ledger.init(url, key, origin="example.com/log") as ledger:
        for n in range(2):
            writer = start(url, tmp_path / "log.key", f"{n}", 3)
            assert writer.stdout is not None
            acknowledged.append(writer.stdout.readline().decode().strip())
            private.crash()
            out = writer.communicate(timeout=60)[0].decode()
            acknowledged += [
                line.strip() for line in out.splitlines(keepends=True) if line[-1:] == "\n"
            ]
            private.start()
        assert ledger.key is not None
        with Ledger.open(url) as log:
            ids = {e.leaf.id for e in log.entries()}
            assert set(acknowledged) <= ids
            assert audit(log, ledger.key).ok
