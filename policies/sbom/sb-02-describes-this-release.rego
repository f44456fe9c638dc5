# METADATA
# scope: package
# title: The SBOM is about what is released
# description: >-
#   The digest that the SBOM gives for the model is the digest of the weights of this release, and
#   every weight file of the release is listed with its digest. An SBOM of last week's build says
#   nothing about today's.
# custom:
#   id: SB-02
#   severity: high
#   controls: [mitre-atlas/aml.m0023, mitre-atlas/aml.m0014, owasp-llm-2025/llm03]
#   remediation: >-
#     Make the SBOM after the weights, in the same build, with the SHA-256 of each weight file.
package adjudge.sbom.sb_02

applicable if {
	count(input.sboms) > 0
	count(input.weights) > 0
}

deny contains {"msg": msg, "pointer": model.pointer} if {
	some model in stale
	msg := $"{model.sbom} gives SHA-256 {model.sha256} for {model.name}; nothing in this release has it"
}

deny contains {"msg": msg, "pointer": $"/artifacts/{i}/path"} if {
	count(stale) == 0
	some i, artifact in input.artifacts
	artifact.kind == "weights"
	some file in artifact.facts.files
	not file.sha256 in listed
	not artifact.digest in listed
	msg := $"{file.path} (SHA-256 {file.sha256}) is in no SBOM of this release"
}

# The models of the SBOMs that are meant to be this release's and are other ones.
stale contains model if {
	some model in own
	not model.sha256 in released
}

own contains model if {
	some i, sbom in input.artifacts
	sbom.kind == "sbom"
	described := sbom.facts.described
	described.type in ["machine-learning-model", "file"]
	model := {
		"sbom": sbom.path,
		"name": described.name,
		"sha256": described.hashes.sha256,
		"pointer": $"/artifacts/{i}/facts/described/hashes/sha256",
	}
}

own contains model if {
	some i, sbom in input.artifacts
	sbom.kind == "sbom"
	some m, found in sbom.facts.models
	found.pointer != object.get(sbom.facts, ["described", "pointer"], "")
	short_name(found.name) in names
	model := {
		"sbom": sbom.path,
		"name": found.name,
		"sha256": found.hashes.sha256,
		"pointer": $"/artifacts/{i}/facts/models/{m}/hashes/sha256",
	}
}

# What the release and its cards call the model.
names contains short_name(input.release.name)

names contains short_name(card.facts.name) if some card in input.model_cards

released contains artifact.digest if some artifact in input.artifacts

released contains file.sha256 if {
	some artifact in input.weights
	some file in artifact.facts.files
}

listed contains component.hashes.sha256 if {
	some sbom in input.sboms
	some component in sbom.facts.components
}

listed contains sbom.facts.described.hashes.sha256 if some sbom in input.sboms

# The name without the organisation before it, in lower case.
short_name(name) := lower(regex.replace(name, `^.*/`, ""))
