# METADATA
# scope: package
# title: Enough people approved the release
# description: >-
#   As many distinct trusted signers as setting approvals.required says approved an artifact of this
#   release, every role in approvals.roles among them, and nobody rejected it. Roles are those that the
#   trust settings give the signer. Nothing is asked for while the number is 0.
# custom:
#   id: GV-01
#   severity: high
#   controls: [soc2/cc8.1, iso-42001/a.3.2]
#   applies_to: release
#   remediation: Have the release approved by signed statements (urn:adjudge:approval:v1) about its digests, and list the signers under roles in the trust settings.
package adjudge.release.gv_01

import data.adjudge.settings

applicable if settings.approvals.required > 0

deny contains {"msg": msg} if {
	count(signers) < settings.approvals.required
	msg := $"{count(signers)} of {settings.approvals.required} approvals are there"
}

deny contains {"msg": msg} if {
	some role in settings.approvals.roles
	not role in roles
	msg := $"nobody with the role {role} approved the release"
}

deny contains {"msg": msg} if {
	some statement in statements
	statement.approval.decision == "rejected"
	msg := $"{who(statement.signer)} rejected the release"
}

# What is signed by somebody trusted, about something in this release.
statements := [statement |
	some document in array.concat(input.approvals, input.attestations)
	some statement in document.facts.statements
	statement.type == "approval"
	statement.assurance == "signed"
	count(statement.artifacts) > 0
	not statement.approval.expired
]

approving := [statement | some statement in statements; statement.approval.approved]

signers := {who(statement.signer) | some statement in approving}

roles := {role | some statement in approving; some role in statement.approval.roles}

who(signer) := signer.identity

who(signer) := signer.key_id if not signer.identity
