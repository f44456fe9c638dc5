"""A policy set in, what a running OPA makes of it out: the other engine."""
