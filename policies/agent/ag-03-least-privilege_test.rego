package adjudge.agent.ag_03_test

import data.adjudge.yaml.ag_03 as rule

bundle(tool) := {"path": "p", "facts": {"tools": [object.union({"name": "t", "wildcard": false}, tool)]}}

test_least_privilege_passes if {
	count(rule.deny) == 0 with input as bundle({"side_effects": "read"})
	count(rule.deny) == 0 with input as bundle({"side_effects": "write", "credential": "user"})
}

test_a_wildcard_is_found if {
	rule.deny == {{"msg": "p gives t a scope with a wildcard", "pointer": "/facts/tools/0"}} with input as bundle({"side_effects": "read", "wildcard": true})
}

test_a_shared_credential_is_found if {
	rule.deny == {{
		"msg": "p does not run t with the rights of its user (credential: service)",
		"pointer": "/facts/tools/0",
	}} with input as bundle({"side_effects": "write", "credential": "service"})
	count(rule.deny) == 1 with input as bundle({"side_effects": "unknown"})
}
