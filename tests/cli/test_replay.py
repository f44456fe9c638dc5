"""Decisions recorded, made again and compared; other policies over what was recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.conftest import POLICY, YAML_POLICY, Run, write

ROOT = Path(__file__).parents[2]


@pytest.fixture
def recorded(run: Run, work: Path) -> Path:
    """A working directory with two recorded decisions and one record file."""
    write(work, {"policies/purpose.yaml": YAML_POLICY, "data.json": '{"licences": {"more": "x"}}'})
    given = ("-p", "policies", "-d", "data.json", "-w", "waivers.yaml", "--record", "rec", "-q")
    assert run("check", "release", *given, "--output", "json=d.json").code == 0
    assert run("check", "bad", *given).code == 1
    return work


def ids(work: Path) -> list[str]:
    return sorted(p.stem for p in (work / "rec/decisions").iterdir())


def parts(work: Path) -> Iterator[Path]:
    return (p for p in (work / "rec/parts").rglob("*") if p.is_file())


def test_identical_without_anything_it_was_made_of(recorded: Path, run: Run) -> None:
    for name in ("release/README.md", "policies/card.rego", "data.json", "waivers.yaml"):
        (recorded / name).unlink()
    found = run("replay", "d.json", "--recordings", "rec", "-f", "json")
    assert found.code == 0, found.err
    assert found.json["identical"] is True
    assert found.json["recorded"] == found.json["replayed"]
    for decision_id in ids(recorded):
        assert run("replay", decision_id, "--recordings", "rec").code == 0


@pytest.mark.parametrize("example", ["support-assistant", "support-assistant-broken"])
def test_the_examples_replay(run: Run, work: Path, example: str) -> None:
    run("check", ROOT / "examples" / example, "-p", "strict", "--record", "rec", "-q")
    (decision_id,) = ids(work)
    found = run("replay", decision_id, "--recordings", "rec")
    assert found.code == 0, found.out


def test_raw_input_replays(run: Run, work: Path) -> None:
    write(
        work,
        {
            "in.json": '{"replicas": 1.0, "big": 100000000000000000000}',
            "raw.rego": 'package raw\ndeny contains sprintf("%v %v", [input.replicas, input.big])',
        },
    )
    assert run("check", "in.json", "--raw", "-p", "raw.rego", "--record", "rec", "-q").code == 1
    (decision_id,) = ids(work)
    assert run("replay", decision_id, "--recordings", "rec").code == 0


def test_a_record_that_says_something_else_differs(recorded: Path, run: Run) -> None:
    record = json.loads((recorded / "d.json").read_text())
    record["results"][0]["title"] = "Another title"
    record["engine"]["version"] = "0.0.0"
    del record["digest"]
    (recorded / "d.json").write_text(json.dumps(record))
    found = run("replay", "d.json", "--recordings", "rec", "-f", "json")
    assert found.code == 1
    pointers = {d["pointer"] for d in found.json["differences"]}
    assert pointers == {"/results/0/title", "/engine/version"}
    assert found.json["notes"]


def test_every_changed_part_is_found(recorded: Path, run: Run) -> None:
    decision_id = next(
        i
        for i in ids(recorded)
        if i == json.loads((recorded / "d.json").read_text())["decision_id"]
    )
    used = 0
    for part in parts(recorded):
        before = part.read_bytes()
        part.write_bytes(before[:-1] + b"~")
        found = run("replay", decision_id, "--recordings", "rec")
        used += found.code == 2
        assert found.code == 0 or found.error == "recording_part_changed"
        part.unlink()
        found = run("replay", decision_id, "--recordings", "rec")
        assert found.code == 0 or found.error == "recording_part_missing"
        part.write_bytes(before)
    assert used >= 5  # decision, policies, data, the case and its document


def test_other_policies_in_their_place_are_found(recorded: Path, run: Run) -> None:
    (decision_id, _) = ids(recorded)
    place = recorded / "rec/decisions" / f"{decision_id}.json"
    text = place.read_text()
    described = json.loads(text)["policies"]
    place.write_text(text.replace(described["digest"], "0" * 64))
    assert run("replay", decision_id, "--recordings", "rec").error == "recording_invalid"
    first, second = (f["text"] for f in described["files"][:2])
    place.write_text(text.replace(f'"text":"{first}"', f'"text":"{second}"'))
    assert run("replay", decision_id, "--recordings", "rec").error == "recording_invalid"


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"schema": "x"}', "[" * 100_000])
def test_a_broken_recording(recorded: Path, run: Run, content: str) -> None:
    (decision_id, _) = ids(recorded)
    (recorded / "rec/decisions" / f"{decision_id}.json").write_text(content)
    found = run("replay", decision_id, "--recordings", "rec")
    assert (found.code, found.error) == (2, "recording_invalid")


def test_what_was_not_recorded(recorded: Path, run: Run) -> None:
    nothing = "01a1fe2c-d6c1-7661-baa5-481dc9d18ae9"
    assert run("replay", nothing, "--recordings", "rec").error == "recording_not_found"
    assert run("replay", "../../etc/passwd", "--recordings", "rec").error == "recording_invalid"
    assert run("replay", nothing, "--recordings", "none").error == "recording_not_found"


def test_a_folder_that_cannot_be_written(run: Run, work: Path) -> None:
    (work / "rec").write_text("a file")
    found = run("check", "release", "-p", "policies", "--record", "rec")
    assert (found.code, found.error) == (2, "recording_write_failed")
    assert found.out == ""


def test_only_the_owner_can_read_it(recorded: Path) -> None:
    for path in (recorded / "rec").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
    assert (recorded / "rec").stat().st_mode & 0o077 == 0


def test_equal_parts_are_kept_once(recorded: Path, run: Run) -> None:
    before = sorted(parts(recorded))
    given = ("-p", "policies", "-d", "data.json", "-w", "waivers.yaml", "--record", "rec", "-q")
    run("check", "release", *given)
    new = [p for p in parts(recorded) if p not in before]
    assert len(new) < 4  # the decision itself, and what holds its time


def test_diff_lists_what_a_candidate_flips(recorded: Path, run: Run) -> None:
    lenient = POLICY.replace('{"mit"}', '{"mit", "other"}')
    write(recorded, {"candidate/card.rego": lenient})
    found = run("diff", "recorded", "candidate", "--over", "rec", "-d", "data.json", "-f", "json")
    assert found.code == 0, found.err
    assert (found.json["judged"], found.json["flipped"]) == (2, 1)
    (change,) = (c for c in found.json["changes"] if c["old"] != c["new"])
    assert (change["old"], change["new"]) == ("deny", "allow")
    assert {r["rule_id"] for r in change["removed"]} == {"OWN-1"}
    flips = ("diff", "policies", "candidate", "--over", "rec", "-d", "data.json", "--fail-on-flip")
    shown = run(*flips)
    assert shown.code == 1
    assert "1 flipped" in shown.out
    same = run("diff", "policies", "policies", "--over", "rec", "-d", "data.json", "--fail-on-flip")
    assert same.code == 0
    assert "2 judged, 0 flipped, 0 with other findings" in same.out


def test_diff_over_a_ledger_judges_what_was_recorded(recorded: Path, run: Run) -> None:
    given = ("-p", "policies", "-d", "data.json", "-q", "--ledger", "log.db")
    assert run("check", "bad", *given, "--record", "rec").code == 1
    assert run("check", "release", *given).code == 0
    write(recorded, {"candidate/card.rego": POLICY.replace('{"mit"}', '{"mit", "other"}')})
    over = ("--over", "log.db", "--recordings", "rec", "-d", "data.json", "-f", "json")
    found = run("diff", "recorded", "candidate", *over)
    assert found.code == 0, found.err
    assert [found.json[n] for n in ("judged", "flipped", "unrecorded")] == [1, 1, 1]
    assert run("diff", "a", "b", "--over", "none.db").code == 2


def test_diff_says_what_it_could_not_judge(recorded: Path, run: Run) -> None:
    (decision_id, _) = ids(recorded)
    (recorded / "rec/decisions" / f"{decision_id}.json").write_text("{")
    found = run("diff", "recorded", "policies", "--over", "rec", "-f", "json")
    assert found.code == 2
    assert [u["decision_id"] for u in found.json["unusable"]] == [decision_id]
    (recorded / "empty").mkdir()
    assert run("diff", "a", "b", "--over", "empty").error == "recordings_not_found"
