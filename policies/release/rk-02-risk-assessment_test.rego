package adjudge.release.rk_02_test

import data.adjudge.release.rk_02 as rule

now := time.parse_rfc3339_ns("2026-11-20T12:00:00Z")

good := {"path": "risk.md", "sha256": "aa", "digest": "aa", "digest_matches": true, "date": "2026-11-02"}

messages(assessments) := found if {
	found := {entry.msg | some entry in rule.deny} with input as {"release": {"manifest": "release.yaml", "assessments": assessments}}
		with time.now_ns as now
}

test_a_fresh_assessment_passes if {
	messages({"risk": good}) == set()
	messages({"risk": {"url": "https://acme.example/risk", "sha256": "aa", "date": "2026-11-02"}}) == set()
}

test_no_assessment_is_found if {
	messages({}) == {"release.yaml refers to no risk assessment"}
	rule.deny == {{"msg": "release.yaml refers to no risk assessment", "pointer": "/release/assessments"}} with input as {"release": {"manifest": "release.yaml"}}
}

test_an_unpinned_one_is_found if {
	messages({"risk": {"url": "https://acme.example/risk", "date": "2026-11-02"}}) == {"release.yaml refers to a risk assessment without a digest, so that it may be another one tomorrow"}
}

test_an_exchanged_one_is_found if {
	messages({"risk": object.union(good, {"digest": "bb", "digest_matches": false})}) == {"risk.md has SHA-256 bb, release.yaml says aa"}
}

test_an_undated_and_an_old_one_are_found if {
	messages({"risk": object.remove(good, ["date"])}) == {"release.yaml does not say when the risk assessment was made"}
	messages({"risk": object.union(good, {"date": "2025-11-01"})}) == {"the risk assessment is of 2025-11-01; expected at most 365 days ago"}
}

test_single_files_need_none if {
	not rule.applicable with input as {"release": {}}
	rule.applicable with input as {"release": {"manifest": "release.yaml"}}
}
