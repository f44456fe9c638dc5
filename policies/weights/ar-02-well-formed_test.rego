package adjudge.weights.ar_02_test

import data.adjudge.yaml.ar_02 as rule

weights(files, problems) := {"path": "w", "facts": {"files": files, "problems": problems}}

test_a_well_formed_file_passes if count(rule.deny) == 0 with input as weights([{"path": "w", "well_formed": true}], [])

test_every_problem_is_found if {
	rule.deny == {{"msg": "w: bytes are left over (trailing_bytes)", "pointer": "/facts/problems/0"}} with input as weights(
		[{"path": "w", "well_formed": false}],
		[{"code": "trailing_bytes", "message": "bytes are left over", "path": "w"}],
	)
}

test_an_unknown_format_is_found if {
	rule.deny == {{
		"msg": "w is no well-formed weight file (found: unknown)",
		"pointer": "/facts/files/0",
	}} with input as weights([{"path": "w", "well_formed": false, "format": "unknown"}], [])
}

test_weights_without_a_file_are_found if {
	rule.deny == {{"msg": "w holds no weight file", "pointer": "/facts/files"}} with input as weights([], [])
}

test_what_could_run_is_left_to_another_rule if {
	count(rule.deny) == 0 with input as weights(
		[{"path": "w", "well_formed": true}],
		[{"code": "pickle_import", "message": "imports os.system", "path": "w"}],
	)
}
