package adjudge.release.cfg_01_test

import data.adjudge.release.cfg_01 as rule
import data.adjudge.settings

test_without_settings_the_rule_does_not_apply if not rule.applicable

test_known_settings_pass if {
	rule.applicable with data.adjudge.config as {}
	count(rule.deny) == 0 with data.adjudge.config as {
		"licenses": {"allowed": ["MIT"]},
		"models": {"approved": []},
		"signatures": {"require_log": true},
	}
}

test_unknown_names_are_found if {
	rule.deny == {
		{"msg": "data.adjudge.config.licences is not a group of settings"},
		{"msg": "data.adjudge.config.metrics.floor is no setting"},
	} with data.adjudge.config as {"licences": {"allowed": []}, "metrics": {"floor": {}}}
}

test_wrong_types_are_found if {
	rule.deny == {
		{"msg": "data.adjudge.config.prompts is array, expected an object"},
		{"msg": "data.adjudge.config.licenses.allowed is string, expected array"},
		{"msg": "data.adjudge.config.models.approved is object, expected array"},
	} with data.adjudge.config as {"prompts": [], "licenses": {"allowed": "MIT"}, "models": {"approved": {}}}
}

test_settings_that_are_no_object_are_found if {
	{"msg": "data.adjudge.config is not an object"} in rule.deny with data.adjudge.config as ["MIT"]
}

test_given_settings_replace_defaults_one_by_one if {
	settings.prompts.max_tokens == 9 with data.adjudge.config as {"prompts": {"max_tokens": 9}}
	settings.prompts.timeout_s == settings.defaults.prompts.timeout_s with data.adjudge.config as {"prompts": {"max_tokens": 9}}
	settings.licenses.allowed == ["X"] with data.adjudge.config as {"licenses": {"allowed": ["X"]}}
}

test_settings_of_the_wrong_type_leave_the_default if {
	settings.licenses == settings.defaults.licenses with data.adjudge.config as {"licenses": {"allowed": "MIT"}}
	settings.licenses == settings.defaults.licenses with data.adjudge.config as "nothing"
	not settings.models.approved with data.adjudge.config as {"models": {"approved": "all"}}
}
