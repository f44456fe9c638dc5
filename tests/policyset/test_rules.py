"""What a rule says of itself: METADATA, its inheritance, and what is wrong in it."""

from __future__ import annotations

from textwrap import dedent

import pytest

from adjudge.errors import AdjudgeError, ErrorList
from adjudge.policyset import PolicySet, load_policy_set

from .conftest import MC_05, Tree


def load(tree: Tree, **texts: str) -> PolicySet:
    return load_policy_set([tree({f"{n}.rego": dedent(t) for n, t in texts.items()})])


def errors_of(tree: Tree, **texts: str) -> list[AdjudgeError]:
    with pytest.raises(AdjudgeError) as error:
        load(tree, **texts)
    raised = error.value
    return raised.errors if isinstance(raised, ErrorList) else [raised]


def test_everything_a_rule_can_say(tree: Tree) -> None:
    (rule,) = load(
        tree,
        a="""\
        # METADATA
        # title: Contact is named
        # description: Somebody must be reachable.
        # related_resources:
        # - https://example.org/why
        # custom:
        #   id: RK-06
        #   severity: high
        #   controls: [eu-ai-act/73, iso-42001/A.8.4]
        #   remediation: " Name a contact. "
        #   applies_to: [release, model_card]
        #   effective_from: 2027-12-02
        #   owner: risk team
        package rk.contact

        deny contains "no contact" if {
          not input.release.contacts
        }
        """,
    ).rules
    assert (rule.id, rule.package, rule.name, rule.kind) == ("RK-06", "rk.contact", "deny", "deny")
    assert rule.title == "Contact is named"
    assert rule.description == "Somebody must be reachable."
    assert rule.severity == "high"
    assert rule.controls == ("eu-ai-act/73", "iso-42001/A.8.4")
    assert rule.remediation == "Name a contact."
    assert rule.applies_to == ("release", "model_card")
    assert rule.owner == "risk team"
    assert rule.links == ("https://example.org/why",)
    assert rule.path == ("rk", "contact", "deny")
    assert (rule.location.row, rule.end_row) == (16, 18)
    assert rule.has_id
    assert rule.effective_ns == 1_827_705_600 * 10**9
    assert not rule.effective(rule.effective_ns - 1)
    assert rule.effective(rule.effective_ns)


def test_what_a_rule_says_by_saying_nothing(tree: Tree) -> None:
    found = load(tree, a='package a\n\nwarn contains "x" if true\n')
    (rule,) = found.rules
    assert rule.id == rule.title == "a/warn:3"
    assert (rule.severity, rule.applies_to, rule.kind) == ("medium", ("release",), "warn")
    assert rule.effective(0)
    assert not rule.has_id
    assert [(x.code, x.location and x.location.row) for x in found.lints] == [
        ("rule_without_id", 3)
    ]


def test_names_that_count(tree: Tree) -> None:
    found = load(
        tree,
        a="""\
        package a

        deny contains "x" if true
        deny_more contains "x" if true
        violation contains {"msg": "x"} if true
        warn_x contains "x" if true
        deny_all := ["a"] if true
        denylist contains "x" if true
        warning contains "x" if true
        deny_f(x) := x
        default deny_all := []
        test_deny if true
        """,
    )
    assert [(r.name, r.kind) for r in found.rules] == [
        ("deny", "deny"),
        ("deny_more", "deny"),
        ("violation", "deny"),
        ("warn_x", "warn"),
        ("deny_all", "deny"),
    ]


def test_findings_below_deny_are_not_counted_and_that_is_said(tree: Tree) -> None:
    found = load(tree, a='package a\n\ndeny.cards contains "x" if true\n')
    assert found.rules == ()
    assert [x.code for x in found.lints] == ["rule_not_counted"]


def test_each_field_comes_from_the_nearest_block(tree: Tree) -> None:
    found = load(
        tree,
        z="""\
        # METADATA
        # scope: subpackages
        # title: not inherited
        # custom: {id: NOT-INHERITED, severity: low, controls: [from/sub], remediation: sub}
        package a
        """,
        m="""\
        # METADATA
        # title: of the package
        # custom: {id: PKG, controls: [from/package], applies_to: sbom}
        package a.b

        # METADATA
        # scope: document
        # custom: {id: DOC, remediation: document}
        # description: of the document

        # METADATA
        # title: of the rule
        # custom: {id: RULE}
        deny contains "1" if true

        deny contains "2" if true

        warn contains "3" if true
        """,
        n="""\
        package a.c

        deny contains "4" if true
        """,
    )
    first, second, third, fourth = found.rules
    assert (first.id, second.id, third.id, fourth.id) == ("RULE", "DOC", "PKG", "a.c/deny:3")
    assert [r.title for r in found.rules] == [
        "of the rule",
        "of the package",
        "of the package",
        "a.c/deny:3",
    ]
    assert [r.remediation for r in found.rules] == ["document", "document", "sub", "sub"]
    assert [r.controls for r in found.rules] == [("from/package",)] * 3 + [("from/sub",)]
    assert [r.severity for r in found.rules] == ["low"] * 4
    assert [r.applies_to for r in found.rules] == [("sbom",)] * 3 + [("release",)]
    assert first.description == "of the document"


def test_metadata_of_a_package_holds_in_all_its_files(tree: Tree) -> None:
    found = load(
        tree,
        a="# METADATA\n# title: T\n# custom: {id: X-1}\npackage p\n",
        b='package p\n\ndeny contains "x" if true\n',
    )
    assert [r.id for r in found.rules] == ["X-1"]


def test_short_name_is_an_id_too(tree: Tree) -> None:
    found = load(
        tree,
        a="package a\n\n# METADATA\n# custom: {short_name: no_x}\ndeny contains 1 if true\n",
    )
    assert [r.id for r in found.rules] == ["no_x"]
    assert found.lints == ()


def test_packages_with_odd_names(tree: Tree) -> None:
    found = load(tree, a='package a["b-c"].d\n\ndeny contains "x" if true\n')
    assert found.rules[0].package == 'a["b-c"].d'


def test_yaml_policies_are_described_the_same_way(tree: Tree) -> None:
    (rule,) = load_policy_set([tree({"mc_05.yaml": MC_05})]).rules
    assert (rule.id, rule.title, rule.severity) == ("MC-05", "Intended purpose is written", "high")
    assert rule.controls == ("eu-ai-act/13.3.b.i",)
    assert rule.applies_to == ("model_card",)
    assert rule.remediation == "Write it."
    assert rule.package == "adjudge.yaml.mc_05"
    assert rule.location.row == 11


@pytest.mark.parametrize(
    ("custom", "row", "words", "hint"),
    [
        ("severity: hihg", 5, "'hihg' is not a severity", "did you mean high?"),
        ("severity: 3", 5, "3 is not a severity", "one of critical, high, low, medium"),
        ("applies_to: modelcard", 5, "is not a kind", "did you mean model_card?"),
        ("applies_to: [sbom, runtime, wat]", 5, "'wat' is not a kind", "one of"),
        ("applies_to: []", 5, "neither a kind nor a list", None),
        ("applies_to: {a: b}", 5, "neither a kind nor a list", None),
        ("effective_from: soon", 5, "is not a date", None),
        ("effective_from: '2026-02-30'", 5, "is not a date", None),
        ("controls: eu-ai-act/5", 5, "is not a list of texts", None),
        ("controls: [1]", 5, "is not a list of texts", None),
        ("id: 'a b'", 5, "is not an id", None),
        ("id: 7", 5, "is not an id", None),
        ("remediation: [a]", 5, "is not a text", None),
    ],
)
def test_bad_values_are_errors_with_their_line(
    tree: Tree, custom: str, row: int, words: str, hint: str | None
) -> None:
    text = f"# METADATA\n# title: T\n# custom:\n#   owner: me\n#   {custom}\npackage a\n\n"
    (error,) = errors_of(tree, a=text + 'deny contains "x" if true\n')
    assert error.code == "policy_metadata_invalid"
    assert words in error.message
    assert error.location is not None
    assert error.location.row == row
    assert error.source is not None
    assert custom.split(":")[0] in error.source
    if hint:
        assert hint in str(error.hint)


def test_a_block_is_blamed_once_however_many_rules_have_it(tree: Tree) -> None:
    text = "# METADATA\n# custom: {severity: x}\npackage a\n\n" + 'deny contains "x" if true\n' * 3
    assert len(errors_of(tree, a=text)) == 1


def test_misspelt_keys_are_doubts(tree: Tree) -> None:
    found = load(
        tree,
        a="# METADATA\n# custom:\n#   id: A\n#   sevrity: high\n#   team: x\npackage a\n\n"
        'deny contains "x" if true\n',
    )
    (lint,) = found.lints
    assert (lint.code, lint.hint) == ("policy_metadata_unknown_key", "did you mean severity?")
    assert lint.location is not None
    assert lint.location.row == 4


def test_an_id_belongs_to_one_rule(tree: Tree) -> None:
    policy = '# METADATA\n# custom: {{id: A}}\npackage {}\n\ndeny contains "x" if true\n'
    (error,) = errors_of(tree, a=policy.format("a"), b=policy.format("b"))
    assert error.code == "policy_id_duplicate"
    assert error.location is not None
    assert error.location.file.endswith("b.rego")
    assert "a.rego:5:1" in error.message


def test_clauses_of_one_package_may_share_an_id_but_not_with_another_title(tree: Tree) -> None:
    block = '# METADATA\n# title: {}\n# custom: {{id: A}}\ndeny contains "{}" if true\n\n'
    same = "package a\n\n" + block.format("T", 1) + block.format("T", 2)
    assert len(load(tree, a=same).rules) == 2
    (error,) = errors_of(tree, a="package a\n\n" + block.format("T", 1) + block.format("U", 2))
    assert error.code == "policy_id_duplicate"


def test_rules_without_ids_on_one_line_of_two_files_stay_apart(tree: Tree) -> None:
    text = 'package main\n\ndeny contains "x" if true\n'
    found = load(tree, a=text, b=text)
    ids = [r.id for r in found.rules]
    assert len(set(ids)) == 2
    assert all(i.startswith("main/deny:3@") for i in ids)


def test_paths_of_data_that_nothing_provides_are_doubts(tree: Tree) -> None:
    policy = MC_05.replace("is: missing", "in: data.purposes.known").replace(
        "path: facts.intended_use, in: data.purposes.known",
        "path: facts.license.id, in: {path: data.licenses.allowed}",
    )
    root = tree({"mc_05.yaml": policy})
    lints = [x for x in load_policy_set([root]).lints if x.code == "policy_data_missing"]
    assert ["data.licenses.allowed" in x.message for x in lints] == [True]
    (root / "data.yaml").write_text("licenses: {allowed: [mit]}\n")
    assert not [x for x in load_policy_set([root]).lints if x.code == "policy_data_missing"]
    (root / "data.yaml").unlink()
    (root / "a.rego").write_text("package licenses\n\nallowed := []\n")
    assert not [x for x in load_policy_set([root]).lints if x.code == "policy_data_missing"]
