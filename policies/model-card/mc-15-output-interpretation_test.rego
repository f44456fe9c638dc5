package adjudge.model_card.mc_15_test

import data.adjudge.yaml.mc_15 as rule

test_written_passes if {
	count(rule.deny) == 0 with input as {"path": "card.md", "facts": {"output_interpretation": "Plain text."}}
}

test_unwritten_is_found if {
	rule.deny == {{"msg": "card.md does not say how output is to be read", "pointer": "/facts/output_interpretation"}} with input as {"path": "card.md", "facts": {}}
}
