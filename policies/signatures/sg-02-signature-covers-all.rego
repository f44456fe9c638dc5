# METADATA
# scope: package
# title: The signature fits and covers every file
# description: >-
#   No signature is over other bytes than those that are there. A verified signature of a directory
#   covers every file in it; what the signer chose to leave out is limited to setting
#   signatures.ignorable, and there are no symbolic links.
# custom:
#   id: SG-02
#   severity: critical
#   controls: [mitre-atlas/aml.m0014, owasp-llm-2025/llm03]
#   applies_to: signed_artifact
#   remediation: >-
#     Find out who changed the files after they were signed. If the change is meant, sign again; remove
#     files that do not belong to the artifact.
package adjudge.signatures.sg_02

import data.adjudge.settings

deny contains {"msg": msg, "pointer": $"/facts/signatures/{i}"} if {
	some i, signature in input.facts.signatures
	signature.reason_code in altered
	msg := $"{signature.path} does not fit {input.path}: {signature.reason} ({signature.reason_code})"
}

deny contains {"msg": msg, "pointer": "/facts/coverage"} if {
	input.facts.verified
	some text, files in {
		"is not covered by the signature": input.facts.coverage.unsigned_files,
		"was changed after it was signed": input.facts.coverage.changed_files,
		"was signed and is missing": input.facts.coverage.missing_files,
		"is a symbolic link, which no signature covers": input.facts.coverage.symlinks,
	}
	some file in files
	msg := $"{input.path}: {file} {text}"
}

deny contains {"msg": msg, "pointer": "/facts/coverage"} if {
	input.facts.verified
	some path in input.facts.coverage.ignored_paths
	not ignorable(path)
	msg := $"{input.path}: the signer left out {path}"
}

altered := ["artifact_mismatch", "subject_mismatch", "files_changed", "signature_invalid", "log_entry_mismatch"]

# The name itself, or what stands below it.
ignorable(path) if trim_suffix(trim_prefix(path, "./"), "/") in settings.signatures.ignorable

ignorable(path) if {
	some name in settings.signatures.ignorable
	startswith(trim_prefix(path, "./"), $"{name}/")
}
