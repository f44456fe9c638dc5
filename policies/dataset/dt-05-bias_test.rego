package adjudge.dataset.dt_05_test

import data.adjudge.dataset.dt_05 as rule

test_described_bias_passes if {
	count(rule.deny) == 0 with input as {"path": "d.json", "facts": {"responsible": {"biases": ["English only"]}}}
}

test_nothing_said_is_found if {
	{found.msg | some found in rule.deny} == {"d.json does not say what bias the data has"} with input as {"path": "d.json", "facts": {"responsible": {}}}
}
