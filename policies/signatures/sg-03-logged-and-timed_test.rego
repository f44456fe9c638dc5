package adjudge.signatures.sg_03_test

import data.adjudge.signatures.sg_03 as rule

artifact(kind, facts) := {"path": "w", "facts": object.union(
	{"verified": true, "logged": false, "signatures": [{"path": "w.sig", "kind": kind, "verified": true}]},
	facts,
)}

now := time.parse_rfc3339_ns("2026-11-20T12:00:00Z")

messages(given) := found if {
	found := {entry.msg | some entry in rule.deny} with input as given with time.now_ns as now
}

test_a_logged_signature_passes if {
	messages(artifact("sigstore", {"logged": true, "signed_at": "2026-11-01T00:00:00Z"})) == set()
}

test_a_key_needs_no_log_unless_told if {
	messages(artifact("key", {})) == set()
	count(rule.deny) == 2 with input as artifact("key", {}) with data.adjudge.config as {"signatures": {"require_log": true}}
}

test_an_unlogged_keyless_signature_is_found if {
	messages(artifact("sigstore", {})) == {"w.sig is in no transparency log", "w.sig has no trusted time of signing"}
}

test_an_old_signature_is_found if {
	messages(artifact("sigstore", {"logged": true, "signed_at": "2025-11-01T00:00:00Z"})) == {"w was signed at 2025-11-01T00:00:00Z; expected at most 365 days ago"}
}

test_unverified_signatures_are_left_to_others if {
	not rule.applicable with input as artifact("sigstore", {"verified": false})
	rule.applicable with input as artifact("sigstore", {})
}
