# METADATA
# scope: package
# title: Signatures are logged, timed and not too old
# description: >-
#   A keyless signature has a proved entry in a transparency log and a trusted time of signing; one by a
#   key needs them when setting signatures.require_log is true. No signature is older than
#   signatures.max_age_days.
# custom:
#   id: SG-03
#   severity: medium
#   controls: [mitre-atlas/aml.m0014, iso-42001/a.6.2.8]
#   applies_to: signed_artifact
#   remediation: Sign with upload to a transparency log, or with a timestamp authority; sign old artifacts again.
package adjudge.signatures.sg_03

import data.adjudge.settings

applicable if input.facts.verified

deny contains {"msg": msg, "pointer": $"/facts/signatures/{i}"} if {
	log_needed
	not input.facts.logged
	some i, signature in input.facts.signatures
	signature.verified
	msg := $"{signature.path} is in no transparency log"
}

deny contains {"msg": msg, "pointer": $"/facts/signatures/{i}"} if {
	log_needed
	not input.facts.signed_at
	some i, signature in input.facts.signatures
	signature.verified
	msg := $"{signature.path} has no trusted time of signing"
}

deny contains {"msg": msg, "pointer": "/facts/signed_at"} if {
	signed := time.parse_rfc3339_ns(input.facts.signed_at)
	time.now_ns() > time.add_date(signed, 0, 0, settings.signatures.max_age_days)
	msg := $"{input.path} was signed at {input.facts.signed_at}; expected at most {settings.signatures.max_age_days} days ago"
}

log_needed if settings.signatures.require_log

log_needed if {
	some signature in input.facts.signatures
	signature.verified
	signature.kind == "sigstore"
}
