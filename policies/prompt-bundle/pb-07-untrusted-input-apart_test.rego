package adjudge.prompt_bundle.pb_07_test

import data.adjudge.yaml.pb_07 as rule

place(role, delimited, untrusted) := {
	"variable": "ticket",
	"role": role,
	"delimited": delimited,
	"untrusted": untrusted,
	"file": "system.txt",
	"line": 5,
}

bundle(places) := {"path": "p", "facts": {"placements": places}}

test_untrusted_input_in_its_place_passes if {
	count(rule.deny) == 0 with input as bundle([
		place("user", false, true),
		place("system", true, true),
		place("system", false, false),
	])
}

test_untrusted_input_among_instructions_is_found if {
	rule.deny == {{
		"msg": "p/system.txt line 5 puts ticket, which is untrusted, into the system prompt without delimiters",
		"pointer": "/facts/placements/1",
	}} with input as bundle([place("user", false, true), place("system", false, true)])
}
