# METADATA
# scope: package
# title: Tools are approved
# description: >-
#   The model may call only tools of the list in setting tools.approved, an object of names. The value
#   is the digest of the approved definition, or an empty text where any definition will do.
# custom:
#   id: AG-01
#   severity: high
#   controls: [owasp-llm-2025/llm06, mitre-atlas/aml.m0028]
#   applies_to: prompt_bundle
#   remediation: >-
#     Remove the tool, or have it reviewed and add its name and digest to tools.approved in the
#     settings of your organisation.
package adjudge.agent.ag_01

import data.adjudge.settings

applicable if count(input.facts.tools) > 0

deny contains {"msg": msg, "pointer": $"/facts/tools/{i}"} if {
	some i, tool in input.facts.tools
	not settings.tools.approved[tool.name]
	msg := $"{input.path} lets the model call {tool.name}, which is not an approved tool"
}

deny contains {"msg": msg, "pointer": $"/facts/tools/{i}"} if {
	some i, tool in input.facts.tools
	digest := settings.tools.approved[tool.name]
	digest != ""
	plain(object.get(tool, "digest", "none")) != plain(digest)
	msg := $"{input.path} declares {tool.name} with the digest {object.get(tool, "digest", "none")}, approved is {digest}"
}

plain(digest) := trim_prefix(lower(digest), "sha256:")
