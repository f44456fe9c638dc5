package adjudge.release.gv_05_test

import data.adjudge.yaml.gv_05 as rule

release(logging) := {"release": {"manifest": "release.yaml", "logging": logging}}

good := {"enabled": true, "sink": "s3://log", "retention_days": 180}

test_half_a_year_passes if count(rule.deny) == 0 with input as release(good)

test_nothing_said_is_found if {
	{found.msg | some found in rule.deny} == {
		"release.yaml does not say that logging is on",
		"release.yaml does not say where the log goes",
		"release.yaml keeps the log for <undefined> days, expected at least 180",
	} with input as release({})
}

test_a_short_log_is_found if {
	rule.deny == {{
		"msg": "release.yaml keeps the log for 30 days, expected at least 180",
		"pointer": "/release/logging/retention_days",
	}} with input as release(object.union(good, {"retention_days": 30}))
}

test_how_long_is_a_setting if {
	count(rule.deny) == 1 with input as release(good) with data.adjudge.config as {"logging": {"min_retention_days": 365}}
	count(rule.deny) == 0 with input as release(good) with data.adjudge.config as {"logging": {"min_retention_days": 30}}
}
