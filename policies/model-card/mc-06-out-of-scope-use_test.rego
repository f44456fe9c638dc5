package adjudge.model_card.mc_06_test

import data.adjudge.yaml.mc_06 as rule

test_written_misuse_passes if {
	count(rule.deny) == 0 with input as {"path": "card.md", "facts": {"out_of_scope": "Medical advice."}}
}

test_unwritten_misuse_is_found if {
	rule.deny == {{
		"msg": "card.md does not say what the model must not be used for",
		"pointer": "/facts/out_of_scope",
	}} with input as {"path": "card.md", "facts": {}}
}
