package adjudge.sbom.sb_04_test

import data.adjudge.sbom.sb_04 as rule

sbom(found) := {"path": "sbom.json", "facts": {"vulnerabilities": [object.union({"id": "CVE-1"}, found)]}}

test_closed_ones_pass if {
	every found in [
		{"severity": "critical", "state": "resolved"},
		{"severity": "critical", "state": "not_affected", "justification": "code_not_reachable"},
		{"severity": "critical", "state": "false_positive", "detail": "another product of that name"},
		{"severity": "low"},
	] {
		count(rule.deny) == 0 with input as sbom(found)
		count(rule.warn) == 0 with input as sbom(found)
	}
}

test_open_critical_ones_are_found if {
	rule.deny == {{"msg": "sbom.json lists CVE-1 (critical), which is in_triage", "pointer": "/facts/vulnerabilities/0"}} with input as sbom({"severity": "critical", "state": "in_triage"})
	rule.deny == {{"msg": "sbom.json lists CVE-1 (critical), which is not analysed", "pointer": "/facts/vulnerabilities/0"}} with input as sbom({"severity": "critical"})
}

test_a_statement_without_reason_is_found if {
	rule.deny == {{
		"msg": "sbom.json says that CVE-1 (critical) is not_affected and not why",
		"pointer": "/facts/vulnerabilities/0",
	}} with input as sbom({"severity": "critical", "state": "not_affected"})
}

test_serious_and_unknown_ones_are_worth_a_warning if {
	every severity in ["high", "unknown"] {
		count(rule.deny) == 0 with input as sbom({"severity": severity})
		count(rule.warn) == 1 with input as sbom({"severity": severity})
	}
}

test_what_blocks_is_a_setting if {
	count(rule.deny) == 1 with input as sbom({"severity": "high"})
		with data.adjudge.config as {"vulnerabilities": {"block": ["critical", "high"]}}
	count(rule.warn) == 0 with input as sbom({"severity": "high"})
		with data.adjudge.config as {"vulnerabilities": {"block": ["critical", "high"]}}
}
