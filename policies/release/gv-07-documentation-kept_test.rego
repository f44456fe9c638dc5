package adjudge.release.gv_07_test

import data.adjudge.yaml.gv_07 as rule

release(facts) := {"release": object.union({"manifest": "release.yaml", "risk_tier": "high"}, facts)}

test_ten_years_pass if count(rule.deny) == 0 with input as release({"retention": {"documentation_years": 10}})

test_other_tiers_may_keep_it_shorter if not rule.applicable with input as release({"risk_tier": "limited"})

test_less_is_found if {
	rule.deny == {{
		"msg": "release.yaml keeps the documentation for 9.5 years, expected at least 10",
		"pointer": "/release/retention",
	}} with input as release({"retention": {"documentation_years": 9.5}})
	count(rule.deny) == 1 with input as release({})
}
