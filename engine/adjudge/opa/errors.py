"""What can go wrong between adjudge and an OPA: one error class, its codes and hints."""

from __future__ import annotations

from adjudge.errors import AdjudgeError


class OpaError(AdjudgeError):
    """The OPA that was to decide cannot be asked, or did not answer as OPA does.

    There is no verdict then.  Codes: ``opa_answer_invalid``, ``opa_answer_too_large``,
    ``opa_clock_differs``, ``opa_data_differs``, ``opa_failed``, ``opa_not_found``,
    ``opa_policies_differ``, ``opa_policies_gone``, ``opa_policy_inexpressible``,
    ``opa_policy_refused``, ``opa_redirected``, ``opa_refused``, ``opa_request_too_large``,
    ``opa_timeout``, ``opa_tls_failed``, ``opa_too_old``, ``opa_unauthorised``,
    ``opa_unreachable``.
    """
