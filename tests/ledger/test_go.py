"""The ledger against Go's implementation of transparency logs (golang.org/x/mod/sumdb)."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from adjudge.ledger import Item, Ledger, SigningKey, VerifierKey, verify_checkpoint
from adjudge.ledger.merkle import consistency_proof, inclusion_proof

SIZE = 70


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    go = shutil.which("go")
    if go is None:
        pytest.skip("there is no Go")
    built = tmp_path_factory.mktemp("go") / "crosscheck"
    done = subprocess.run(
        [go, "build", "-o", str(built), "."],
        cwd=Path(__file__).parent / "go",
        capture_output=True,
        text=True,
        timeout=300,
    )
    if done.returncode:
        pytest.skip(f"the Go program could not be built: {done.stderr[-300:]}")
    return built


def encoded(path: list[bytes]) -> list[str]:
    return [base64.b64encode(h).decode() for h in path]


def test_both_agree_on_every_root_proof_and_note(
    program: Path, tmp_path: Path, key: SigningKey
) -> None:
    with Ledger.init(tmp_path / "l.db", key, origin="example.com/log") as ledger:
        ledger.append_all([Item(b"%d" % n) for n in range(SIZE)])
        note, own = ledger.checkpoint(), ledger.key
        leaves = [e.leaf.data for e in ledger.entries()]
        read = ledger.rows.nodes
        inclusions = [(s, i) for s in (1, 2, 3, 7, 8, 31, 64, 65, SIZE) for i in range(s)]
        consistencies = [(o, n) for n in (1, 2, 5, 8, 33, 64, SIZE) for o in range(1, n + 1)]
        question = {
            "Key": str(own),
            "Note": str(note),
            "Leaves": [base64.b64encode(leaf).decode() for leaf in leaves],
            "Inclusions": [
                {"Size": s, "Index": i, "Path": encoded(inclusion_proof(i, s, read))}
                for s, i in inclusions
            ],
            "Consistencies": [
                {"Old": o, "New": n, "Path": encoded(consistency_proof(o, n, read))}
                for o, n in consistencies
            ],
        }
    done = subprocess.run(
        [str(program)], input=json.dumps(question), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    assert answer["Problems"] is None
    assert answer["Text"] == note.text
    for ours in ("Inclusions", "Consistencies"):
        theirs = [{**a, "Path": a["Path"] or []} for a in answer[ours]]
        assert theirs == question[ours]
    their_key = VerifierKey.parse(answer["Key"])
    checkpoint = verify_checkpoint(answer["Note"], their_key).checkpoint
    assert checkpoint.size == SIZE
    assert encoded([checkpoint.root]) == [answer["Roots"][-1]]
    assert note.text.split("\n")[2] == answer["Roots"][-1]
