package adjudge.prompt_bundle.pb_09_test

import data.adjudge.prompt_bundle.pb_09 as rule

bundle(parameters) := {"path": "p", "facts": {"parameters": parameters}}

good := {"max_tokens": 800, "timeout_s": 20, "temperature": 0}

test_limits_pass if count(rule.deny) == 0 with input as bundle(good)

test_every_missing_limit_is_found if {
	rule.deny == {
		{"msg": "p sets no max_tokens", "pointer": "/document/config/parameters"},
		{"msg": "p sets no timeout_s", "pointer": "/document/config/parameters"},
		{"msg": "p sets no temperature", "pointer": "/document/config/parameters"},
	} with input as bundle({"stop": []})
}

test_a_limit_that_is_none_is_found if {
	rule.deny == {{"msg": "p sets timeout_s to 0, expected more than 0", "pointer": "/facts/parameters/timeout_s"}} with input as bundle(object.union(good, {"timeout_s": 0}))
}

test_what_is_allowed_is_a_setting if {
	rule.deny == {
		{"msg": "p sets max_tokens to 800, expected at most 500", "pointer": "/facts/parameters/max_tokens"},
		{"msg": "p sets temperature to 1.5, expected at most 1", "pointer": "/facts/parameters/temperature"},
	} with input as bundle(object.union(good, {"temperature": 1.5}))
		with data.adjudge.config as {"prompts": {"max_tokens": 500}}
}

test_a_setting_of_the_wrong_type_does_not_switch_the_rule_off if {
	count(rule.deny) == 1 with input as bundle(object.union(good, {"max_tokens": 1000000}))
		with data.adjudge.config as {"prompts": {"max_tokens": "many"}}
}
