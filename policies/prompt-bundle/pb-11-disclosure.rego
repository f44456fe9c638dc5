# METADATA
# scope: package
# title: People learn that they talk to an AI system
# description: >-
#   A prompt that people talk to makes the system say that it is one, or the manifest states the text
#   that the user interface shows. Whether people talk to it has to be said.
# custom:
#   id: PB-11
#   severity: high
#   controls: [eu-ai-act/50.1, nist-ai-600-1/mp-5.1-003, iso-42001/a.8.2]
#   applies_to: prompt_bundle
#   effective_from: "2026-08-02"
#   remediation: >-
#     Set user_facing in config.yaml and, when it is true, disclosure with the text shown to people (or
#     transparency.disclosure in release.yaml).
package adjudge.prompt_bundle.pb_11

deny contains {"msg": msg, "pointer": "/facts/user_facing"} if {
	not said
	msg := $"{input.path} does not say whether people talk to it (user_facing)"
}

deny contains {"msg": msg, "pointer": "/facts/disclosure"} if {
	user_facing
	not input.facts.disclosure.present
	not input.release.transparency.disclosure
	msg := $"{input.path} is for people and does not tell them that they talk to an AI system"
}

said if is_boolean(input.facts.user_facing)

said if is_boolean(input.release.transparency.user_facing)

# Either may say so: what one calls internal, the other may show to the public.
user_facing if input.facts.user_facing == true

user_facing if input.release.transparency.user_facing == true

# adjudge:ignore-file effective_from_past: the date of the law, which decisions about the past need
