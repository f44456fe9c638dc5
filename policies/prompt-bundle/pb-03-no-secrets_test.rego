package adjudge.prompt_bundle.pb_03_test

import data.adjudge.yaml.pb_03 as rule

bundle(secrets, hosts) := {"path": "p", "facts": {"secrets": secrets, "internal_hosts": hosts}}

test_a_clean_bundle_passes if count(rule.deny) == 0 with input as bundle([], [])

test_a_credential_is_found if {
	rule.deny == {{
		"msg": "p/system.txt line 3 holds what looks like a credential (aws_access_key, AKIA****)",
		"pointer": "/facts/secrets/0",
	}} with input as bundle([{"kind": "aws_access_key", "file": "system.txt", "line": 3, "preview": "AKIA****"}], [])
}

test_an_internal_host_is_found if {
	some found in rule.deny with input as bundle([], [{"host": "db.corp", "file": "config.yaml", "line": 9}])
	found.msg == "p/config.yaml line 9 names the internal host db.corp"
	found.pointer == "/facts/internal_hosts/0"
	contains(found.remediation, "public name")
}
