"""Where the Action takes policies, waivers, data and trust settings from, and what it refuses."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.action.conftest import (
    AS_OF,
    BAD_CARD,
    CARD,
    LENIENT,
    POLICY,
    WAIVERS,
    Repository,
    pull_request,
    read_outputs,
)

from adjudge.errors import AdjudgeError
from adjudge.gate.action import read_event, run_action

Act = Callable[..., "Acted"]


class Acted:
    """A run in this process: its decision, or the code of the error that there was none for."""

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        self.log = io.StringIO()
        self.error: AdjudgeError | None = None
        try:
            self.code = run_action(environ, self.log)
        except AdjudgeError as error:
            self.error, self.code = error, 2
        self.outputs = read_outputs(Path(environ["GITHUB_OUTPUT"]).read_text("utf-8"))
        path = Path(self.outputs["decision-path"])
        self.record: dict[str, Any] = json.loads(path.read_text("utf-8"))

    @property
    def verdict(self) -> str:
        """The outcome, or why there is none."""
        return self.error.code if self.error else str(self.record["outcome"])

    @property
    def notes(self) -> set[str]:
        """The codes of the degradations."""
        return {d["code"] for d in self.record["degradations"]}


@pytest.fixture
def act(repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Act:
    """Runs the action in the checkout, in this process."""

    def run(
        event: str = "push", payload: Any = None, workspace: Path | None = None, **inputs: str
    ) -> Acted:
        folder = tmp_path / "runner"
        folder.mkdir(exist_ok=True)
        (folder / "output").write_text("")
        (folder / "event.json").write_text(json.dumps(payload))
        monkeypatch.chdir(workspace or repository.path)
        given = {"path": "release", "policies": "policies", **inputs}
        return Acted(
            folder,
            {
                "GITHUB_OUTPUT": str(folder / "output"),
                "GITHUB_EVENT_NAME": event,
                "GITHUB_EVENT_PATH": str(folder / "event.json"),
                "RUNNER_TEMP": str(folder),
                **{f"ADJUDGE_INPUT_{k.upper()}": v for k, v in given.items()},
            },
        )

    return run


@pytest.fixture
def base(repository: Repository) -> str:
    """The base: strict policies, no waivers.  The checkout then is a change with a bad card."""
    repository.write("waivers.yaml", "waivers: []\n")
    repository.write("lenient/card.rego", LENIENT)
    repository.write("lenient/waivers.yaml", WAIVERS)
    made = repository.commit("base")
    repository.git("checkout", "--quiet", "-b", "change")
    repository.write("release/README.md", BAD_CARD)
    repository.commit("change")
    return made


# --- a change cannot choose its judge -------------------------------------------------------------


def test_edited_deleted_and_added_policies_do_not_count(
    act: Act, repository: Repository, base: str
) -> None:
    repository.write("policies/card.rego", LENIENT)
    assert act("pull_request", pull_request(base)).verdict == "deny"
    (repository.path / "policies" / "card.rego").unlink()
    assert act("pull_request", pull_request(base)).verdict == "deny"
    repository.write("policies/more.rego", "this is no rego")
    assert act("pull_request", pull_request(base)).verdict == "deny"


@pytest.mark.parametrize("target", ["lenient", "/proc/self/cwd/lenient", "../outside"])
def test_links_in_the_checkout_do_not_count(
    act: Act, repository: Repository, base: str, target: str
) -> None:
    outside = repository.path.parent / "outside"
    outside.mkdir()
    (outside / "card.rego").write_text(LENIENT)
    (repository.path / "policies" / "card.rego").unlink()
    (repository.path / "policies").rmdir()
    (repository.path / "policies").symlink_to(target)
    repository.commit("link")
    given = {"policies": "policies", "waivers": "waivers.yaml", "as_of": AS_OF}
    assert act("pull_request", pull_request(base), **given).verdict == "deny"
    (repository.path / "waivers.yaml").unlink()
    (repository.path / "waivers.yaml").symlink_to("lenient/waivers.yaml")
    assert act("pull_request", pull_request(base), **given).verdict == "deny"
    # The same by a path through the link of a folder above.
    (repository.path / "more").symlink_to("lenient")
    assert act("pull_request", pull_request(base), policies="more").verdict == (
        "trusted_path_missing"
    )


@pytest.mark.parametrize(
    "name", ["policies", "./policies/", "policies/card.rego", "release/../policies", "{absolute}"]
)
def test_every_way_to_write_a_path_leads_to_the_base(
    act: Act, repository: Repository, base: str, name: str
) -> None:
    repository.write("policies/card.rego", LENIENT)
    name = name.format(absolute=repository.path / "policies")
    run = act("pull_request", pull_request(base), policies=name)
    assert run.verdict == "deny"
    assert "policies_from_checkout" not in run.notes


def test_a_workspace_reached_through_a_link_is_the_workspace(
    act: Act, repository: Repository, base: str, tmp_path: Path
) -> None:
    repository.write("policies/card.rego", LENIENT)
    (tmp_path / "link").symlink_to(repository.path)
    name = str(tmp_path / "link" / "policies")
    assert act("pull_request", pull_request(base), policies=name).verdict == "deny"
    (tmp_path / "deep").symlink_to(repository.path / "policies")
    deep = act("pull_request", pull_request(base), policies=str(tmp_path / "deep"))
    assert deep.verdict == "trusted_path_unsafe"


def test_what_is_outside_the_checkout_is_taken_as_it_is(
    act: Act, repository: Repository, base: str, tmp_path: Path
) -> None:
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    (outside / "card.rego").write_text(LENIENT)
    assert act("pull_request", pull_request(base), policies=str(outside)).verdict == "allow"
    (outside / "w.yaml").write_text(WAIVERS)
    run = act("pull_request", pull_request(base), waivers=str(outside / "w.yaml"), as_of=AS_OF)
    assert (run.verdict, run.outputs["waived-count"]) == ("allow", "1")


def test_waivers_data_and_collections_come_from_the_base(
    act: Act, repository: Repository, base: str
) -> None:
    repository.git("checkout", "--quiet", "main")
    repository.write(
        "policies/limit.rego",
        'package own.limit\n\ndeny contains sprintf("%v", [data.limit]) if data.limit > 1\n',
    )
    repository.write("data/limit.json", '{"limit": 5}')
    repository.write(
        "policies/collections/ours.yaml",
        "apiVersion: adjudge/v1\nkind: Collection\n"
        "metadata: {name: ours, title: Ours}\ninclude: [OWN-1]\n",
    )
    base = repository.commit("data")
    repository.write("data/limit.json", '{"limit": 0}')
    repository.write("policies/card.rego", LENIENT)
    repository.write("release/README.md", BAD_CARD)
    event = pull_request(base)
    run = act("pull_request", event, data="data/limit.json")
    assert {r["message"] for r in run.record["results"] if r["outcome"] == "fail"} == {
        "5",
        "licence other is not allowed",
    }
    run = act("pull_request", event, policies="policies/collections/ours.yaml")
    assert [(r["rule_id"], r["outcome"]) for r in run.record["results"]] == [("OWN-1", "fail")]


def test_trust_settings_come_from_the_base_with_their_keys(
    act: Act, repository: Repository, base: str
) -> None:
    repository.git("checkout", "--quiet", "main")
    repository.write("trust/trust.yaml", "keys: [keys/a.pem]\n")
    key = (
        "-----BEGIN PUBLIC KEY-----\n"
        "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n"
        "-----END PUBLIC KEY-----\n"
    )
    repository.write("trust/keys/a.pem", key)
    base = repository.commit("trust")
    repository.write("trust/trust.yaml", "keys: [keys/none.pem]\n")
    run = act("pull_request", pull_request(base), trust="trust/trust.yaml")
    assert run.verdict == "allow"
    repository.commit("broken")
    assert act("push", trust="trust/trust.yaml").verdict == "trust_file_missing"
    broken = repository.write("trust/list.yaml", "- x\n")
    base = repository.commit("list")
    broken.unlink()
    run = act("pull_request", pull_request(base), trust="trust/list.yaml")
    assert run.verdict.startswith("trust_")


# --- clear errors ---------------------------------------------------------------------------------


def test_policies_that_the_base_lacks(act: Act, repository: Repository, base: str) -> None:
    repository.write("new/card.rego", POLICY)
    repository.commit("new")
    run = act("pull_request", pull_request(base), policies="new")
    assert run.verdict == "trusted_path_missing"
    assert run.error is not None
    assert run.error.message == f"new does not exist at {base[:12]}"
    assert "merge it first" in (run.error.hint or "")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("baselin", "unknown_policies"),
        ("pack:nothing", "unknown_policies"),
        ("collection:nothing", "unknown_policies"),
        ("./nowhere", "policies_not_found"),
        (".git/config", "trusted_path_missing"),
        ("..", "trusted_path_unsafe"),
        ("/", "trusted_path_unsafe"),
    ],
)
def test_policies_that_are_nowhere(act: Act, base: str, name: str, code: str) -> None:
    assert act("pull_request", pull_request(base), policies=name).verdict == code


def test_links_and_submodules_of_the_base_are_refused(
    act: Act, repository: Repository, base: str
) -> None:
    repository.git("checkout", "--quiet", "main")
    (repository.path / "policies" / "linked.rego").symlink_to("../lenient/card.rego")
    base = repository.commit("link")
    assert act("pull_request", pull_request(base)).verdict == "trusted_path_unsafe"
    other = Repository(repository.path.parent / "other")
    other.write("card.rego", LENIENT)
    other.commit()
    repository.git(
        "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(other.path), "sub"
    )
    base = repository.commit("submodule")
    assert act("pull_request", pull_request(base), policies="sub").verdict == "trusted_path_unsafe"


def test_a_submodule_that_a_change_brings_does_not_count(
    act: Act, repository: Repository, base: str
) -> None:
    other = Repository(repository.path.parent / "other")
    other.write("card.rego", LENIENT)
    other.commit()
    repository.git("rm", "-rq", "policies")
    repository.git(
        "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(other.path), "policies"
    )
    repository.commit("swap")
    assert act("pull_request", pull_request(base)).verdict == "deny"


@pytest.mark.parametrize(
    "payload",
    [
        None,
        [],
        {},
        {"pull_request": None},
        {"pull_request": {"base": {"sha": 7}}},
        {"pull_request": {"base": {"sha": "main"}}},
        {"pull_request": {"base": {"sha": "--upload-pack=touch canary"}}},
    ],
)
def test_a_base_that_is_not_known(act: Act, base: str, payload: Any) -> None:
    assert act("pull_request", payload).verdict == "action_base_unknown"
    assert act("pull_request", payload, policies_ref=base).verdict == "deny"


def test_an_event_that_cannot_be_read(tmp_path: Path) -> None:
    for text in ("{", "[" * 100_000, "\xff"):
        (tmp_path / "e.json").write_text(text, encoding="latin-1")
        environ = {
            "GITHUB_EVENT_NAME": "pull_request",
            "GITHUB_EVENT_PATH": str(tmp_path / "e.json"),
        }
        with pytest.raises(AdjudgeError) as e:
            read_event(environ)
        assert e.value.code == "action_base_unknown"


def test_a_base_that_cannot_be_fetched_is_no_reason_to_take_anything_else(
    act: Act, repository: Repository, base: str, tmp_path: Path
) -> None:
    """``FETCH_HEAD`` is what the checkout fetched last: the change itself."""
    repository.write("policies/card.rego", LENIENT)
    change = repository.commit("lenient")
    clone = Repository(tmp_path / "clone")
    clone.git("fetch", "--quiet", "--depth=1", f"file://{repository.path}", "change")
    clone.git("checkout", "--quiet", change)
    clone.git("remote", "add", "origin", f"file://{tmp_path}/gone")
    for ref in (base, "main", "f" * 40):
        run = act("pull_request", pull_request(base), workspace=clone.path, policies_ref=ref)
        assert run.verdict == "git_ref_unknown"
    run = act("pull_request", pull_request(base), workspace=clone.path)
    assert run.error is not None
    assert run.error.message.startswith("there is no base commit")


def test_a_checkout_without_git(act: Act, tmp_path: Path, base: str) -> None:
    bare = tmp_path / "bare"
    (bare / "release").mkdir(parents=True)
    (bare / "release" / "README.md").write_text(CARD)
    (bare / "policies").mkdir()
    (bare / "policies" / "card.rego").write_text(POLICY)
    assert act("pull_request", pull_request(base), workspace=bare).verdict == "git_failed"
    assert act("push", workspace=bare).verdict == "allow"


# --- refs -----------------------------------------------------------------------------------------


@pytest.fixture
def clone(repository: Repository, base: str, tmp_path: Path) -> Repository:
    """A full clone with the change checked out and a local branch and tag that mislead."""
    repository.git("tag", "v1", base)
    made = Repository.__new__(Repository)
    made.path = tmp_path / "clone"
    repository.git(
        "clone", "--quiet", "--branch=change", f"file://{repository.path}", str(made.path)
    )
    made.write("policies/card.rego", LENIENT)
    made.commit("lenient")
    made.git("branch", "main")
    made.git("branch", "v1")
    made.git("branch", base[:7])
    return made


@pytest.mark.parametrize(
    "ref", ["main", "origin/main", "refs/heads/main", "v1", "refs/tags/v1", "{base}"]
)
def test_refs_are_those_of_the_remote(act: Act, clone: Repository, base: str, ref: str) -> None:
    run = act("push", workspace=clone.path, policies_ref=ref.format(base=base))
    assert run.verdict == "deny"
    assert "policies_from_checkout" not in run.notes


@pytest.mark.parametrize(
    "ref",
    [
        "HEAD~1",
        "main:policies",
        "+main",
        "--upload-pack=touch canary",
        "main^{tree}",
        "@{-1}",
        "main..change",
        "ma*n",
        "nothing",
        "{short}",
        "a b",
    ],
)
def test_other_names_of_commits_are_refused(
    act: Act, clone: Repository, base: str, ref: str
) -> None:
    run = act("push", workspace=clone.path, policies_ref=ref.replace("{short}", base[:7]))
    assert run.verdict == "git_ref_unknown"
    assert not list(clone.path.rglob("canary"))


def test_a_ref_that_is_not_here_is_fetched(
    act: Act, repository: Repository, base: str, tmp_path: Path
) -> None:
    repository.write("policies/card.rego", LENIENT)
    repository.commit("lenient")
    repository.git("tag", "pinned", base)
    clone = tmp_path / "clone"
    origin = f"file://{repository.path}"
    repository.git("clone", "-q", "--depth=1", "--branch=change", origin, str(clone))
    for ref in ("main", "pinned", base):
        assert act("push", workspace=clone, policies_ref=ref).verdict == "deny"
    # What was fetched for one ref is not taken for another.
    assert act("push", workspace=clone, policies_ref="gone").verdict == "git_ref_unknown"


def test_fetching_does_not_cut_off_the_history(
    act: Act, repository: Repository, base: str, tmp_path: Path
) -> None:
    clone = tmp_path / "clone"
    origin = f"file://{repository.path}"
    repository.git("clone", "-q", "--single-branch", "--branch=change", origin, str(clone))
    repository.git("checkout", "-q", "main")
    repository.write("policies/more.rego", 'package more\n\ndeny contains "more"\n')
    later = repository.commit("later")
    run = act("pull_request", pull_request(later), workspace=clone)
    assert "more" in {r["message"] for r in run.record["results"]}
    assert not (clone / ".git" / "shallow").exists()


def test_branches_of_a_fork_are_its_authors(act: Act, clone: Repository, base: str) -> None:
    clone.git("remote", "set-url", "origin", "https://github.com/Fork/r.git")
    event = pull_request(base, head="fork/r", into="o/r")
    run = act("pull_request", event, workspace=clone.path, policies_ref="main")
    assert run.verdict == "git_ref_untrusted"
    # A commit is what it is, wherever it comes from.
    assert act("pull_request", event, workspace=clone.path).verdict == "deny"
    assert act("pull_request", event, workspace=clone.path, policies_ref=base).verdict == "deny"


@pytest.mark.parametrize("event", ["pull_request", "pull_request_target", "pull_request_review"])
def test_every_event_about_a_pull_request_has_a_base(
    act: Act, repository: Repository, base: str, event: str
) -> None:
    repository.write("policies/card.rego", LENIENT)
    assert act(event, pull_request(base)).verdict == "deny"


def test_a_merge_queue_has_a_base(act: Act, repository: Repository, base: str) -> None:
    repository.write("policies/card.rego", LENIENT)
    assert act("merge_group", {"merge_group": {"base_sha": base}}).verdict == "deny"
    assert act("merge_group", {}).verdict == "action_base_unknown"


# --- several checkouts ----------------------------------------------------------------------------


def test_a_checkout_in_a_folder_of_the_workspace(
    act: Act, repository: Repository, base: str
) -> None:
    repository.write("policies/card.rego", LENIENT)
    run = act(
        "pull_request",
        pull_request(base),
        workspace=repository.path.parent,
        path="repo/release",
        policies="repo/policies",
    )
    assert run.verdict == "deny"


def test_policies_of_another_checkout_need_a_ref_of_theirs(
    act: Act, repository: Repository, base: str
) -> None:
    other = Repository(repository.path / "org-policies")
    other.write("card.rego", POLICY)
    pinned = other.commit()
    other.write("card.rego", LENIENT)
    other.commit()
    event = pull_request(base)
    assert act("pull_request", event, policies="org-policies").verdict == "git_ref_unknown"
    run = act("pull_request", event, policies="org-policies", policies_ref=pinned)
    assert run.verdict == "deny"


# --- names of shipped policies --------------------------------------------------------------------


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shipped policies with a collection ``baseline`` that denies the bad card."""
    root = tmp_path / "shipped"
    for name, text in {
        "model-card/card.rego": POLICY,
        "collections/baseline.yaml": "apiVersion: adjudge/v1\nkind: Collection\n"
        "metadata: {name: baseline, title: B}\ninclude: [OWN-1]\n",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    monkeypatch.setattr("adjudge.policyset.shipped.shipped_policies", lambda: root)


@pytest.mark.parametrize("event", ["push", "pull_request"])
@pytest.mark.usefixtures("shipped")
def test_a_folder_does_not_take_the_place_of_shipped_policies(
    act: Act, repository: Repository, base: str, event: str
) -> None:
    alone = act(event, pull_request(base), policies="baseline")
    assert alone.verdict == "deny"
    assert "policies_name_shared" not in alone.notes
    repository.write("baseline/card.rego", LENIENT)
    beside = act(event, pull_request(base), policies="baseline\npack:model-card")
    assert beside.verdict == "deny"
    assert "policies_name_shared" in beside.notes
    base = repository.commit("baseline")
    assert act(event, pull_request(base), policies="./baseline").verdict == "allow"


# --- outputs --------------------------------------------------------------------------------------


def test_values_cannot_end_their_own_delimiter(tmp_path: Path) -> None:
    from adjudge.gate.action import _Outputs

    file = tmp_path / "out"
    value = "x\nadjudge-0\nEOF\ndecision=allow\ndecision<<EOF\nallow\nEOF\n"
    _Outputs(str(file)).write({"a": value, "decision": "deny"})
    assert read_outputs(file.read_text()) == {"a": value, "decision": "deny"}


def test_a_summary_has_its_limit(tmp_path: Path) -> None:
    from adjudge.gate.action import SUMMARY_LIMIT, _summarise

    markdown, summary = tmp_path / "m.md", tmp_path / "s.md"
    markdown.write_text("ü" * SUMMARY_LIMIT)
    summary.write_text("before\n")
    _summarise(str(summary), markdown)
    assert os.path.getsize(summary) in (SUMMARY_LIMIT, SUMMARY_LIMIT - 1)
    _summarise(str(summary), markdown)
    assert os.path.getsize(summary) in (SUMMARY_LIMIT, SUMMARY_LIMIT - 1)
    assert summary.read_text().startswith("before\nü")


def test_no_verdict_says_why_it_is_none(act: Act, repository: Repository) -> None:
    repository.write("policies/bad.rego", "package a\n\ndeny contains x if { nope( }\n")
    run = act()
    assert run.record["reason_codes"] == ["policy_invalid"]
    assert run.notes == {"rego_parse_error"}
    (repository.path / "policies" / "bad.rego").unlink()
    repository.write("release/release.yaml", "kind: Release\n")
    run = act()
    assert (run.record["reason_codes"], run.outputs["deny-count"]) == (["input_invalid"], "0")
    assert act(as_of="yesterday").record["outcome"] == "no_verdict"
    assert act(annotations="perhaps").verdict == "action_input_invalid"
