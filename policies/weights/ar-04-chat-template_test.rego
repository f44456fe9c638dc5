package adjudge.weights.ar_04_test

import data.adjudge.yaml.ar_04 as rule

weights(digests) := {"path": "w", "facts": {"chat_template_digests": digests}}

test_weights_without_template_are_left_alone if not rule.applicable with input as weights([])

test_by_default_no_template_is_approved if {
	rule.deny == {{
		"msg": "w has a chat template with SHA-256 aa, which is not an approved one",
		"pointer": "/facts/chat_template_digests/0",
	}} with input as weights(["aa"])
}

test_approved_templates_pass if {
	count(rule.deny) == 0 with input as weights(["aa"]) with data.adjudge.config as {"weights": {"chat_templates": ["aa"]}}
}
