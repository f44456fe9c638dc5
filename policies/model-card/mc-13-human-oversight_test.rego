package adjudge.model_card.mc_13_test

import data.adjudge.yaml.mc_13 as rule

card(facts, release) := {"path": "card.md", "facts": facts, "release": release}

test_either_document_may_say_it if {
	count(rule.deny) == 0 with input as card({"oversight": "An agent reads every draft."}, {})
	count(rule.deny) == 0 with input as card({}, {"oversight": {"role": "agents", "stop": "a switch"}})
}

test_nobody_says_it if {
	rule.deny == {{
		"msg": "neither card.md nor the manifest says how people oversee the system",
		"pointer": "/facts/oversight",
	}} with input as card({}, {})
}

test_an_overseer_without_a_switch_is_found if {
	rule.deny == {{
		"msg": "the manifest names agents as overseer and no way to stop the system",
		"pointer": "/release/oversight",
	}} with input as card({}, {"oversight": {"role": "agents"}})
}
