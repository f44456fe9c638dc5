# METADATA
# scope: package
# title: The licence is declared and allowed
# description: >-
#   The card states the licence of the model, and every licence it states is on the list of those
#   the organisation accepts (setting licenses.allowed). A licence without an id needs a name and a
#   link, and is allowed only when its name is on the list.
# custom:
#   id: MC-04
#   severity: high
#   controls: [nist-ai-600-1/gv-6.1-001, iso-42001/a.10.3, soc2/cc9.2]
#   applies_to: model_card
#   remediation: >-
#     State the licence as an SPDX id in the front matter (license: apache-2.0). If the licence is
#     acceptable and only missing from the list, add it to licenses.allowed in your settings.
package adjudge.model_card.mc_04

import data.adjudge.settings

deny contains {"msg": msg, "pointer": "/facts/license"} if {
	count(input.facts.license.ids) == 0
	not input.facts.license.name
	msg := $"{input.path} states no licence"
}

deny contains {"msg": msg, "pointer": "/facts/license"} if {
	some id in input.facts.license.ids
	not lower(id) in allowed
	not is_other(id)
	msg := $"{input.path} states the licence {id}, which is not among the allowed ones"
}

deny contains {"msg": msg, "pointer": "/facts/license/name"} if {
	named_only
	name := input.facts.license.name
	not lower(name) in allowed
	msg := $"{input.path} states a licence of its own, {name}, which is not among the allowed ones"
}

deny contains {"msg": msg, "pointer": "/facts/license"} if {
	some id in input.facts.license.ids
	is_other(id)
	some field in ["name", "link"]
	not input.facts.license[field]
	msg := $"{input.path} states the licence {id} and gives no license_{field}"
}

allowed := {lower(id) | some id in settings.licenses.allowed}

# How Hugging Face says that the licence is not among its ids.
is_other(id) if lower(id) in ["other", "unknown"]

named_only if {
	every id in input.facts.license.ids {
		is_other(id)
	}
}
