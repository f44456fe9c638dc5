package adjudge.model_card.mc_11_test

import data.adjudge.yaml.mc_11 as rule

card(facts) := {"path": "card.md", "facts": facts}

test_named_data_pass if {
	count(rule.deny) == 0 with input as card({"datasets": [{"name": "d"}], "training": {}})
	count(rule.warn) == 0 with input as card({"datasets": [{"name": "d"}], "training": {"data": "tickets"}})
}

test_no_data_is_found if {
	rule.deny == {{"msg": "card.md names no training data", "pointer": "/facts/datasets"}} with input as card({"datasets": [], "training": {}})
}

test_prose_alone_is_worth_a_warning if {
	count(rule.deny) == 0 with input as card({"datasets": [], "training": {"data": "tickets"}})
	rule.warn == {{
		"msg": "card.md describes the training data and lists no data set by name",
		"pointer": "/facts/training/data",
	}} with input as card({"datasets": [], "training": {"data": "tickets"}})
}
