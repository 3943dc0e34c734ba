"""Errors that people get before a service has seen their request, in the shape of the services' own (RFC 9457).

Without ``instance`` and ``request_id``, which no fixed text can have, and as ``application/json``: a fixed response of
a load balancer has no other type of the kind, and AWS WAF lets none be set (Elastic Load Balancing API,
``FixedResponseActionConfig``; AWS WAF guide, "Sending custom responses for Block actions").
"""

import json
from http import HTTPStatus


def problem(status: HTTPStatus, detail: str) -> str:
    """A problem document as JSON; ``detail`` is for the person who calls."""
    return json.dumps({"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail})
