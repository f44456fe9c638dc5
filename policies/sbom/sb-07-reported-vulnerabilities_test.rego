package adjudge.sbom.sb_07_test

import data.adjudge.sbom.sb_07 as rule

release(found) := {
	"vulnerability_reports": [{"path": "grype.json"}],
	"vulnerabilities": [object.union(
		{
			"id": "CVE-1",
			"severity": "critical",
			"package": {"name": "p"},
			"sources": ["grype.json"],
			"status": "open",
			"signed_status": "open",
		},
		found,
	)],
}

messages(given) := found if {
	found := {entry.msg | some entry in rule.deny} with input as given
}

test_closed_and_mild_ones_pass if {
	messages(release({"status": "not_affected"})) == set()
	messages(release({"status": "fixed"})) == set()
	messages(release({"severity": "low"})) == set()
	messages(release({"sources": ["sbom.json"]})) == set()
}

test_open_ones_are_found if {
	messages(release({})) == {"grype.json reports CVE-1 (critical) in p, which is open"}
	messages(release({"status": "affected", "package": {"purl": "pkg:a/p@1"}})) == {"grype.json reports CVE-1 (critical) in pkg:a/p@1, which is affected"}
}

test_signed_statements_are_asked_for_by_a_setting if {
	count(rule.deny) == 1 with input as release({"status": "fixed"})
		with data.adjudge.config as {"vulnerabilities": {"signed_vex": true}}
	count(rule.deny) == 0 with input as release({"status": "open", "signed_status": "fixed"})
		with data.adjudge.config as {"vulnerabilities": {"signed_vex": true}}
}

test_without_reports_it_does_not_apply if {
	not rule.applicable with input as {"vulnerability_reports": []}
	rule.applicable with input as release({})
}
