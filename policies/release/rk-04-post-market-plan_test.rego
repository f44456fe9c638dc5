package adjudge.release.rk_04_test

import data.adjudge.yaml.rk_04 as rule

release(facts) := {"release": object.union({"manifest": "release.yaml", "risk_tier": "high"}, facts)}

test_a_plan_passes if {
	count(rule.deny) == 0 with input as release({"post_market": {"plan": {"path": "plan.md"}, "owner": "ops", "review_days": 30}})
}

test_other_tiers_need_none if not rule.applicable with input as release({"risk_tier": "minimal"})

test_every_missing_part_is_found if {
	{found.msg | some found in rule.deny} == {
		"release.yaml names no plan for monitoring in operation",
		"release.yaml names nobody who monitors the system in operation",
		"release.yaml does not say how often monitoring is reviewed",
	} with input as release({"post_market": {"review_days": 0}})
}
