package adjudge.prompt_bundle.pb_11_test

import data.adjudge.prompt_bundle.pb_11 as rule

bundle(facts, release) := {"path": "p", "facts": facts, "release": release}

absent := {"present": false, "in_system": false}

test_told_people_pass if {
	count(rule.deny) == 0 with input as bundle({"user_facing": true, "disclosure": {"present": true}}, {})
	count(rule.deny) == 0 with input as bundle({"user_facing": true, "disclosure": absent}, {"transparency": {"disclosure": "You talk to an AI."}})
}

test_without_people_nothing_is_told if {
	count(rule.deny) == 0 with input as bundle({"user_facing": false, "disclosure": absent}, {})
}

test_untold_people_are_found if {
	every given in [
		bundle({"user_facing": true, "disclosure": absent}, {}),
		bundle({"user_facing": false, "disclosure": absent}, {"transparency": {"user_facing": true}}),
	] {
		rule.deny == {{
			"msg": "p is for people and does not tell them that they talk to an AI system",
			"pointer": "/facts/disclosure",
		}} with input as given
	}
}

test_it_must_be_said if {
	rule.deny == {{
		"msg": "p does not say whether people talk to it (user_facing)",
		"pointer": "/facts/user_facing",
	}} with input as bundle({"disclosure": absent}, {})
}

test_the_manifest_may_say_it if {
	count(rule.deny) == 0 with input as bundle({"disclosure": absent}, {"transparency": {"user_facing": false}})
}
