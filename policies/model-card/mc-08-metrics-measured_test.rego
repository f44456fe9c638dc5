package adjudge.model_card.mc_08_test

import data.adjudge.model_card.mc_08 as rule

card(metrics) := {"path": "card.md", "facts": {"metrics": metrics}}

full := {"type": "f1", "value": 0.9, "dataset": "d", "split": "test", "dataset_revision": "r"}

test_a_full_metric_passes if {
	count(rule.deny) == 0 with input as card([full])
	count(rule.warn) == 0 with input as card([full])
	count(rule.deny) == 0 with input as card([object.union(full, {"value": 0})])
}

test_no_metric_is_found if {
	rule.deny == {{"msg": "card.md states no metric with a number", "pointer": "/facts/metrics"}} with input as card([])
}

test_a_metric_without_number_is_found if {
	rule.deny == {{"msg": "card.md states f1 without a number", "pointer": "/facts/metrics/1"}} with input as card([full, object.remove(full, ["value"])])
}

test_a_metric_on_nothing_is_found if {
	rule.deny == {{
		"msg": "card.md states Best F1 and not the data set and split it was measured on",
		"pointer": "/facts/metrics/0",
	}} with input as card([{"name": "Best F1", "value": 1}])
}

test_a_metric_without_revision_is_worth_a_warning if {
	rule.warn == {{"msg": "card.md states f1 on d without its revision", "pointer": "/facts/metrics/0"}} with input as card([object.remove(full, ["dataset_revision"])])
}
