"""What is demanded of a waiver file: who signed it, how long, by how many."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Result, Run, write
from tests.cli.test_attest import new_key

DEMANDS = "trust: {keys: [risk.pub]}\n"


@pytest.fixture
def demanded(work: Path) -> Path:
    """A working directory with a waiver file, keys and demands."""
    for name in ("risk", "other"):
        new_key(work, name)
    write(work, {"demands.yaml": DEMANDS})
    return work


def judge(run: Run, *options: str) -> Result:
    return run(
        *("check", "bad", "-p", "policies", "-w", "waivers.yaml", "--as-of", "2026-02-01"),
        *("--output", "json", *options),
    )


def codes(result: Result) -> set[str]:
    return {d["code"] for d in result.json["degradations"]}


def test_signed_by_somebody_trusted(demanded: Path, run: Run) -> None:
    assert run("sign", "waivers.yaml", "--signing-key", "risk.pem").code == 0
    found = judge(run, "--waiver-settings", "demands.yaml")
    assert found.code == 0, found.err
    assert "waivers_unsigned" not in codes(found)
    assert [r["outcome"] for r in found.json["results"] if r["rule_id"] == "OWN-1"] == ["waived"]


def test_unsigned_waivers_stand_in_the_decision(demanded: Path, run: Run) -> None:
    found = judge(run)
    assert found.code == 0, found.err
    assert "waivers_unsigned" in codes(found)


def test_demanded_and_not_there(demanded: Path, run: Run) -> None:
    found = judge(run, "--waiver-settings", "demands.yaml")
    assert (found.code, found.error) == (2, "waivers_unsigned")
    assert found.out == ""


def test_signed_by_somebody_else(demanded: Path, run: Run) -> None:
    assert run("sign", "waivers.yaml", "--signing-key", "other.pem").code == 0
    found = judge(run, "--waiver-settings", "demands.yaml")
    assert (found.code, found.error) == (2, "waivers_signature_refused")


@pytest.mark.parametrize("content", [b"", b"x", b"{}", b'{"payload": 1}', b"\xff" * 100])
def test_broken_signatures(demanded: Path, run: Run, content: bytes) -> None:
    (demanded / "waivers.yaml.sig").write_bytes(content)
    found = judge(run, "--waiver-settings", "demands.yaml")
    assert (found.code, found.error) == (2, "waivers_signature_refused")


def test_changed_after_it_was_signed(demanded: Path, run: Run) -> None:
    run("sign", "waivers.yaml", "--signing-key", "risk.pem")
    path = demanded / "waivers.yaml"
    path.write_text(path.read_text().replace("2026-06-01", "2026-06-02"))
    found = judge(run, "--waiver-settings", "demands.yaml")
    assert (found.code, found.error) == (2, "waivers_signature_refused")


@pytest.mark.parametrize(
    ("demand", "code"),
    [
        ("max_lifetime_days: 30", "at most 30 are allowed"),
        ("approvers_high: 3", "needs 3 approvers besides the owner"),
        ("require_digest: true", "it is not bound to a digest"),
    ],
)
def test_limits(demanded: Path, run: Run, demand: str, code: str) -> None:
    write(demanded, {"demands.yaml": demand})
    found = judge(run, "--waiver-settings", "demands.yaml")
    assert found.code == 1
    shown = run(
        *("check", "bad", "-p", "policies", "-w", "waivers.yaml", "--as-of", "2026-02-01"),
        *("--waiver-settings", "demands.yaml", "--output", "html"),
    )
    assert code in shown.out


def test_limits_are_part_of_a_recording(demanded: Path, run: Run) -> None:
    write(demanded, {"demands.yaml": "require_digest: true"})
    found = judge(run, "--waiver-settings", "demands.yaml", "--record", "rec")
    (decision,) = [json.loads(found.out)]
    assert run("replay", decision["decision_id"], "--recordings", "rec").code == 0


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("max_lifetime: 3", "waiver_settings_unknown_key"),
        ("approvers: two", "waiver_settings_type"),
        ("trust: {keys: [none.pub]}", "trust_file_unreadable"),
        ("- 1", "waiver_settings_type"),
        ("a: [", "yaml_syntax"),
    ],
)
def test_settings_that_cannot_be_used(demanded: Path, run: Run, text: str, code: str) -> None:
    run("sign", "waivers.yaml", "--signing-key", "risk.pem")
    write(demanded, {"demands.yaml": text})
    found = judge(run, "--waiver-settings", "demands.yaml")
    assert (found.code, found.error) == (2, code)
