package adjudge.release.cfg_02_test

import data.adjudge.release.cfg_02 as rule

degraded(codes) := {"degradations": [{"code": code, "message": "something was done"} | some code in codes]}

test_without_degradations_it_passes if count(rule.deny) == 0 with input as degraded([])

test_what_is_not_denied_passes if count(rule.deny) == 0 with input as degraded(["git_absent", "clock_overridden"])

test_forced_kinds_are_found if {
	rule.deny == {{
		"msg": "something was done (kinds_forced)",
		"pointer": "/degradations/1",
	}} with input as degraded(["git_absent", "kinds_forced"])
}

test_the_release_does_not_choose_whom_to_trust if count(rule.deny) == 1 with input as degraded(["trust_from_manifest"])

test_what_is_denied_is_a_setting if {
	count(rule.deny) == 1 with input as degraded(["clock_overridden"])
		with data.adjudge.config as {"overrides": {"denied": ["clock_overridden"]}}
	count(rule.deny) == 0 with input as degraded(["kinds_forced"]) with data.adjudge.config as {"overrides": {"denied": []}}
}
