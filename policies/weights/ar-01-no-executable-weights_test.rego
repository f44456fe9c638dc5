package adjudge.weights.ar_01_test

import data.adjudge.yaml.ar_01 as rule

file(executable, pickle) := {"path": "w.pt", "format": "torch_zip", "executable": executable, "pickle": pickle}

weights(files, globals) := {"path": "w.pt", "facts": {
	"files": files,
	"globals": globals,
	"disallowed_globals": [$"{entry.module}.{entry.name}" | some entry in globals; not entry.allowed],
}}

test_data_pass if {
	count(rule.deny) == 0 with input as weights([file(false, false)], [])
	count(rule.warn) == 0 with input as weights([file(false, false)], [])
}

test_every_import_that_is_not_harmless_is_found if {
	rule.deny == {{"msg": "w.pt!data.pkl imports os.system, which can run code", "pointer": "/facts/globals/1"}} with input as weights(
		[file(true, true)],
		[
			{"module": "collections", "name": "OrderedDict", "allowed": true, "path": "w.pt!data.pkl"},
			{"module": "os", "name": "system", "allowed": false, "path": "w.pt!data.pkl"},
		],
	)
}

test_what_cannot_be_looked_into_is_found if {
	rule.deny == {{
		"msg": "w.pt (torch_zip) can run code when it is loaded, or that could not be ruled out",
		"pointer": "/facts/files/0",
	}} with input as weights([file(true, false)], [])
}

test_a_harmless_pickle_is_worth_a_warning if {
	count(rule.deny) == 0 with input as weights([file(false, true)], [])
	rule.warn == {{
		"msg": "w.pt is a pickle; its imports are harmless, safetensors cannot have any",
		"pointer": "/facts/files/0",
	}} with input as weights([file(false, true)], [])
}
