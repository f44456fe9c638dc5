package adjudge.prompt_bundle.pb_04_test

import data.adjudge.yaml.pb_04 as rule

found(kind, synthetic) := {"kind": kind, "file": "tests.json", "line": 4, "synthetic": synthetic}

test_made_up_data_pass if {
	count(rule.deny) == 0 with input as {"path": "p", "facts": {"pii": [found("email", true)]}}
}

test_real_looking_data_are_found if {
	rule.deny == {{
		"msg": "p/tests.json line 4 holds what looks like personal data (phone)",
		"pointer": "/facts/pii/1",
	}} with input as {"path": "p", "facts": {"pii": [found("email", true), found("phone", false)]}}
}
