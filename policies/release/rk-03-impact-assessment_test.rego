package adjudge.release.rk_03_test

import data.adjudge.yaml.rk_03 as rule

release(facts) := {"release": object.union({"manifest": "release.yaml", "version": "2.0.0", "risk_tier": "high"}, facts)}

test_an_approved_assessment_passes if {
	count(rule.deny) == 0 with input as release({"assessments": {"impact": {"version": "2.0.0", "approved_by": ["Ada"]}}})
}

test_other_tiers_need_none if not rule.applicable with input as release({"risk_tier": "limited"})

test_no_assessment_is_found if {
	rule.applicable with input as release({})
	rule.deny == {{
		"msg": "release.yaml declares the tier high and refers to no impact assessment",
		"pointer": "/release/assessments",
	}} with input as release({})
}

test_an_assessment_of_another_version_by_nobody_is_found if {
	{found.msg | some found in rule.deny} == {
		"the impact assessment is about version 1.0.0, released is 2.0.0",
		"the impact assessment is approved by nobody",
	} with input as release({"assessments": {"impact": {"version": "1.0.0"}}})
}
