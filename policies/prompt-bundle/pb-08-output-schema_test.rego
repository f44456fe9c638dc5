package adjudge.prompt_bundle.pb_08_test

import data.adjudge.yaml.pb_08 as rule

bundle(output) := {"path": "p", "facts": {"output": output}}

test_text_and_json_with_schema_pass if {
	count(rule.deny) == 0 with input as bundle({"format": "text", "schema_present": false})
	count(rule.deny) == 0 with input as bundle({"format": "json", "schema_present": true, "schema_valid": true})
}

test_no_format_is_found if {
	rule.deny == {{"msg": "p does not say which format the answer has", "pointer": "/facts/output"}} with input as bundle({"schema_present": false})
}

test_json_without_schema_is_found if {
	rule.deny == {{"msg": "p asks for JSON and gives no JSON Schema", "pointer": "/facts/output"}} with input as bundle({"format": "json", "schema_present": false})
}

test_a_schema_that_is_none_is_found if {
	rule.deny == {{
		"msg": "p gives a schema that is no JSON Schema: type: 5 is not valid",
		"pointer": "/facts/output/schema_valid",
	}} with input as bundle({
		"format": "json",
		"schema_present": true,
		"schema_valid": false,
		"schema_error": "type: 5 is not valid",
	})
}
