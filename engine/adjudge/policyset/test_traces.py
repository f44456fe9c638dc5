"""A test in, the trace of its evaluation out."""

from __future__ import annotations

from typing import cast

from adjudge.policyset.testing import TestCase, test_options
from adjudge.rego import UNDEFINED, RegoEvalError
from adjudge.rego.probes import Probed
from adjudge.rego.tracing import Mode, Tracer, filtered, rendered


def trace_of(probed: Probed, test: TestCase, mode: str, seconds: float) -> str:
    """The steps of a test, one a line; ``probed`` is the test's program with probes
    whose rules are watched."""
    if test.is_function:
        return ""
    modules = {m.file: m for m in probed.program.modules}
    tracer = Tracer(probed, modules)
    context = probed.program.context(UNDEFINED, test_options(seconds, tracer.services()), None)
    try:
        context.document(test.path)
    except (RegoEvalError, RecursionError):
        # The trace shows how far it came.
        pass
    tracer.finish()
    return "\n".join(rendered(filtered(tracer.events, cast(Mode, mode))))
