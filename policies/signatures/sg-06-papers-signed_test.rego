package adjudge.signatures.sg_06_test

import data.adjudge.signatures.sg_06 as rule

release(signed) := {
	"artifacts": [{"kind": "weights", "path": "w"}, {"kind": "model_card", "path": "card.md"}, {"kind": "sbom", "path": "sbom.json"}],
	"signed_artifacts": signed,
}

test_signed_papers_pass if count(rule.deny) == 0 with input as release([{"path": "card.md"}, {"path": "sbom.json"}])

test_unsigned_papers_are_found if {
	rule.deny == {
		{"msg": "card.md is not signed", "pointer": "/artifacts/1/path"},
		{"msg": "sbom.json is not signed", "pointer": "/artifacts/2/path"},
	} with input as release([{"path": "w"}])
}

test_without_papers_the_rule_does_not_apply if {
	not rule.applicable with input as {"artifacts": [{"kind": "weights", "path": "w"}], "signed_artifacts": []}
	rule.applicable with input as release([])
}
