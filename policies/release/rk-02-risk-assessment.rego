# METADATA
# scope: package
# title: A risk assessment is attached
# description: >-
#   The manifest refers to a risk assessment that is dated, not older than setting
#   risk.assessment_max_age_days, and, where its digest is stated, unchanged.
# custom:
#   id: RK-02
#   severity: high
#   controls: [eu-ai-act/9, eu-ai-act/annex-iv.5, iso-42001/a.5.2, iso-42001/a.5.3]
#   remediation: Name the assessment under assessments.risk in release.yaml with path, sha256 and date.
package adjudge.release.rk_02

import data.adjudge.settings

applicable if input.release.manifest

deny contains {"msg": msg, "pointer": "/release/assessments"} if {
	not input.release.assessments.risk
	msg := $"{input.release.manifest} refers to no risk assessment"
}

deny contains {"msg": msg, "pointer": "/release/assessments/risk"} if {
	found := input.release.assessments.risk
	not found.digest
	not found.sha256
	msg := $"{input.release.manifest} refers to a risk assessment without a digest, so that it may be another one tomorrow"
}

deny contains {"msg": msg, "pointer": "/release/assessments/risk/sha256"} if {
	found := input.release.assessments.risk
	found.digest_matches == false
	msg := $"{found.path} has SHA-256 {found.digest}, {input.release.manifest} says {found.sha256}"
}

deny contains {"msg": msg, "pointer": "/release/assessments/risk"} if {
	found := input.release.assessments.risk
	not found.date
	msg := $"{input.release.manifest} does not say when the risk assessment was made"
}

deny contains {"msg": msg, "pointer": "/release/assessments/risk/date"} if {
	found := input.release.assessments.risk
	day := time.parse_ns("2006-01-02", substring(found.date, 0, 10))
	time.now_ns() > time.add_date(day, 0, 0, settings.risk.assessment_max_age_days)
	msg := $"the risk assessment is of {found.date}; expected at most {settings.risk.assessment_max_age_days} days ago"
}
