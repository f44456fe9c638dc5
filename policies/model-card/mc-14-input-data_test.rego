package adjudge.model_card.mc_14_test

import data.adjudge.yaml.mc_14 as rule

test_written_passes if {
	count(rule.deny) == 0 with input as {"path": "card.md", "facts": {"input_format": "Plain text."}}
}

test_unwritten_is_found if {
	rule.deny == {{"msg": "card.md does not say what input the model takes", "pointer": "/facts/input_format"}} with input as {"path": "card.md", "facts": {}}
}
