# METADATA
# scope: package
# title: Personal and sensitive data are declared
# description: >-
#   The record says which personal or sensitive information the data has, or that it has none. Where there
#   is some, the release has a data protection assessment.
# custom:
#   id: DT-04
#   severity: high
#   controls: [gdpr/9, nist-ai-600-1/mp-4.1-009]
#   applies_to: dataset
#   remediation: State rai:personalSensitiveInformation (or dataset_hasSensitivePersonalInformation in SPDX); attach assessments.data_protection in release.yaml.
package adjudge.dataset.dt_04

deny contains {"msg": msg, "pointer": "/facts/responsible"} if {
	not declared
	msg := $"{input.path} does not say whether the data is personal or sensitive"
}

deny contains {"msg": msg, "pointer": "/facts/responsible/sensitive"} if {
	personal
	not input.release.assessments.data_protection
	msg := $"{input.path} has personal or sensitive data, and the release has no data protection assessment"
}

declared if input.facts.responsible.sensitive

declared if input.facts.sensitive_personal_information in ["yes", "no"]

personal if input.facts.sensitive_personal_information == "yes"

personal if {
	some said in input.facts.responsible.sensitive
	not lower(trim_space(said)) in ["none", "no", "n/a", "not applicable"]
}
