# METADATA
# scope: package
# title: The data set's files are pinned
# description: >-
#   Every file that the record names has a SHA-256, and files that stand beside it have that digest.
# custom:
#   id: DT-02
#   severity: high
#   controls: [eu-ai-act/15.5, owasp-llm-2025/llm04, mitre-atlas/aml.m0014, mitre-atlas/aml.m0025]
#   applies_to: dataset
#   remediation: State the sha256 of each FileObject; where a file differs, find out which of the two is right.
package adjudge.dataset.dt_02

applicable if count(input.facts.files) > 0

deny contains {"msg": msg, "pointer": $"/facts/files/{i}"} if {
	some i, file in input.facts.files
	file.type == "file"
	not file.sha256
	msg := $"{input.path} states no SHA-256 of {file.name}"
}

deny contains {"msg": msg, "pointer": $"/facts/files/{i}/sha256"} if {
	some i, file in input.facts.files
	file.digest_matches == false
	msg := $"{file.name} is not the file that {input.path} describes: its SHA-256 differs"
}
