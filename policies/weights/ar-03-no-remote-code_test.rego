package adjudge.weights.ar_03_test

import data.adjudge.yaml.ar_03 as rule

weights(switches, scripts) := {"path": "m", "facts": {"remote_code": {"switches": switches, "scripts": scripts}}}

test_weights_without_code_pass if count(rule.deny) == 0 with input as weights([], [])

test_switches_and_scripts_are_found if {
	rule.deny == {
		{"msg": "m/config.json switches on code of the model's own (auto_map)", "pointer": "/facts/remote_code/switches/0"},
		{"msg": "m holds m/modeling.py, which is code", "pointer": "/facts/remote_code/scripts/0"},
	} with input as weights([{"path": "m/config.json", "key": "auto_map"}], ["m/modeling.py"])
}
