package adjudge.prompt_bundle.pb_06_test

import data.adjudge.yaml.pb_06 as rule

bundle(undeclared, unused, includes) := {
	"path": "p",
	"facts": {"variables": {"undeclared": undeclared, "unused": unused}, "includes": includes},
}

test_closed_variables_pass if {
	count(rule.deny) == 0 with input as bundle([], [], [])
	count(rule.warn) == 0 with input as bundle([], [], [])
}

test_an_undeclared_variable_is_found if {
	rule.deny == {{
		"msg": "p uses the variable who, which config.yaml does not declare",
		"pointer": "/facts/variables/undeclared/0",
	}} with input as bundle(["who"], [], [])
}

test_an_include_is_found if {
	rule.deny == {{
		"msg": "p/system.txt line 2 includes rules.txt, which is not part of what was reviewed",
		"pointer": "/facts/includes/0",
	}} with input as bundle([], [], [{"target": "rules.txt", "file": "system.txt", "line": 2}])
}

test_an_unused_variable_is_worth_a_warning if {
	count(rule.deny) == 0 with input as bundle([], ["old"], [])
	rule.warn == {{"msg": "p declares the variable old and never uses it", "pointer": "/facts/variables/unused/0"}} with input as bundle([], ["old"], [])
}
