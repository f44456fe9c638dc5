package adjudge.release.rk_01_test

import data.adjudge.release.rk_01 as rule

release(facts, cards) := {
	"release": object.union({"manifest": "release.yaml", "use_case_tags": []}, facts),
	"artifacts": cards,
}

card(facts) := {"kind": "model_card", "path": "card.md", "facts": object.union({"use_case_tags": []}, facts)}

test_a_declared_tier_passes if {
	count(rule.deny) == 0 with input as release({"risk_tier": "limited"}, [card({"risk_tier": "Limited"})])
	count(rule.deny) == 0 with input as release({"risk_tier": "high", "use_case_tags": ["recruitment"]}, [card({"use_case_tags": ["recruitment"]})])
}

test_no_tier_is_found if {
	rule.deny == {{"msg": "release.yaml declares no risk tier", "pointer": "/release/risk_tier"}} with input as release({}, [])
}

test_a_high_risk_use_needs_the_high_tier if {
	rule.deny == {{
		"msg": "release.yaml names the use recruitment, which is high-risk, and declares the tier limited",
		"pointer": "/release/use_case_tags/1",
	}} with input as release({"risk_tier": "limited", "use_case_tags": ["x", "recruitment"]}, [])
	rule.deny == {{
		"msg": "card.md names the use credit-scoring, which is high-risk; release.yaml declares the tier minimal",
		"pointer": "/artifacts/0/facts/use_case_tags/0",
	}} with input as release({"risk_tier": "minimal"}, [card({"use_case_tags": ["credit-scoring"]})])
}

test_a_card_of_another_tier_is_found if {
	rule.deny == {{
		"msg": "card.md states the risk tier high, release.yaml declares limited",
		"pointer": "/artifacts/0/facts/risk_tier",
	}} with input as release({"risk_tier": "limited"}, [card({"risk_tier": "high"})])
}

test_single_files_have_no_tier if {
	not rule.applicable with input as {"release": {}}
	rule.applicable with input as release({}, [])
}
