# Seven rules over a request and the settings of its tenant.
package guardrail

default allow := false

allow if count(deny) == 0

tenant := data.tenants[input.tenant]

deny contains "unknown tenant" if not tenant

deny contains "model not allowed" if not input.model in tenant.models

deny contains "too many tokens" if input.max_tokens > tenant.limits.max_tokens

deny contains "region not allowed" if not input.region in tenant.regions

deny contains msg if {
	some word in tenant.blocked_words
	contains(lower(input.prompt), word)
	msg := sprintf("blocked word %q", [word])
}

deny contains "no user" if not input.user.id

deny contains "budget spent" if data.usage[input.tenant] + input.cost > tenant.limits.budget
