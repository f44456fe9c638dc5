package adjudge.agent.ag_01_test

import data.adjudge.agent.ag_01 as rule

bundle(tools) := {"path": "p", "facts": {"tools": tools}}

config(approved) := {"tools": {"approved": approved}}

test_without_tools_there_is_nothing_to_approve if not rule.applicable with input as bundle([])

test_by_default_no_tool_is_approved if {
	rule.applicable with input as bundle([{"name": "search"}])
	rule.deny == {{
		"msg": "p lets the model call search, which is not an approved tool",
		"pointer": "/facts/tools/0",
	}} with input as bundle([{"name": "search"}])
}

test_approved_tools_pass if {
	count(rule.deny) == 0 with input as bundle([{"name": "search"}, {"name": "pay", "digest": "SHA256:AB"}])
		with data.adjudge.config as config({"search": "", "pay": "ab"})
}

test_another_definition_is_found if {
	rule.deny == {{
		"msg": "p declares pay with the digest cd, approved is sha256:ab",
		"pointer": "/facts/tools/0",
	}} with input as bundle([{"name": "pay", "digest": "cd"}]) with data.adjudge.config as config({"pay": "sha256:ab"})
	rule.deny == {{
		"msg": "p declares pay with the digest none, approved is ab",
		"pointer": "/facts/tools/0",
	}} with input as bundle([{"name": "pay"}]) with data.adjudge.config as config({"pay": "ab"})
}
