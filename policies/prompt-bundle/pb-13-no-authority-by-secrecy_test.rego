package adjudge.prompt_bundle.pb_13_test

import data.adjudge.yaml.pb_13 as rule

test_a_prompt_without_rules_of_access_passes if {
	count(rule.deny) == 0 with input as {"path": "p", "facts": {"authority": []}}
}

test_a_rule_of_access_is_found if {
	rule.deny == {{
		"msg": "p/system.txt line 8 leaves a rule of access to the model: only admins may",
		"pointer": "/facts/authority/0",
	}} with input as {"path": "p", "facts": {"authority": [{"text": "only admins may", "file": "system.txt", "line": 8}]}}
}
