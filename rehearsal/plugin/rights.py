"""Who may: sessions of the roles of tasks, conditions that MiniStack does not know, and the questions of the fronts."""

import base64
import hashlib
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from rehearsal.plugin import domain, endpoints, lattice, ministack
from rehearsal.plugin.journal import note

SESSION_SECONDS = 3600
_POLICIES: dict[str, Callable[[str], tuple[Any, str] | None]] = {
    "es": domain.policy,
    "vpc-lattice-svcs": lattice.policy,
}
_ACTIONS: dict[str, Callable[[str], str]] = {
    "es": lambda method: f"es:ESHttp{method.capitalize()}",
    "vpc-lattice-svcs": lambda _: "vpc-lattice-svcs:Invoke",
}
_SERVICES = {"domain": "es", "lattice": "vpc-lattice-svcs"}


def install() -> None:
    """Have MiniStack's own evaluation know them."""
    evaluator, actions = ministack.module("core.iam_evaluator"), ministack.module("core.iam_actions")
    policy_of = evaluator._resource_policy

    def policy(service: str, arn: str) -> Any:
        return _POLICIES[service](arn) if service in _POLICIES else policy_of(service, arn)

    evaluator._resource_policy = policy
    value_of = evaluator._resolve_condition_key

    def value(key: str, context: Any) -> Any:
        found = value_of(key, context)
        return _role(found) if key.lower() == "aws:principalarn" else found

    evaluator._resolve_condition_key = value
    evaluator._POLICY_REQUIRED |= {"vpc-lattice-svcs"}
    context_of = actions.request_tag_context

    def context(service: str, action: str, body: bytes, *rest: Any) -> dict[str, Any]:
        more = _CONDITIONS[service](body) if service in _CONDITIONS else {}
        return {**context_of(service, action, body, *rest), **more}

    actions.request_tag_context = context
    pin = evaluator.pin_request_origin

    def secure(address: str, secure_transport: object) -> None:  # noqa: ARG001 - as it is called
        pin(address, secure_transport=True)  # the gateway speaks plain HTTP, which every bucket's policy refuses

    evaluator.pin_request_origin = ministack.module("app").pin_request_origin = secure
    note("bypassed", "IAM: nobody asks for iam:PassRole, and CloudFormation makes resources without its execution role")
    note("bypassed", "TLS of the API: the emulator's is plain HTTP, and policies take it for TLS")


def _role(principal: str) -> str:
    """What ``aws:PrincipalArn`` is of a session: its role (IAM guide, "AWS global condition context keys")."""
    if ":assumed-role/" not in principal:
        return principal
    account, name = principal.split(":")[4], principal.split("/")[1]
    return f"arn:aws:iam::{account}:role/{name}"


def _encryption_context(body: bytes) -> dict[str, Any]:
    given: dict[str, str] = json.loads(body or b"{}").get("EncryptionContext") or {}
    return {f"kms:EncryptionContext:{name}": value for name, value in given.items()}


def _cluster(body: bytes) -> dict[str, Any]:
    name = str(json.loads(body or b"{}").get("cluster") or "default")
    return {"ecs:cluster": name if name.startswith("arn:") else ministack.arn("ecs", f"cluster/{name}")}


_CONDITIONS: dict[str, Callable[[bytes], dict[str, Any]]] = {"kms": _encryption_context, "ecs": _cluster}
"""Keys of conditions that say what a request is about, by service and from its body."""


def session(role: str, name: str) -> dict[str, Any]:
    """Credentials of ``role`` for an hour, as its task gets them."""
    now = int(time.time())
    digest = hashlib.sha256(f"{role}:{name}:{now // 60}".encode()).hexdigest()
    key, secret = f"ASIA{digest[:16].upper()}", hashlib.sha256(f"secret:{digest}".encode()).hexdigest()
    token = hashlib.sha256(f"token:{digest}".encode()).hexdigest()
    short = role.rsplit("/", 1)[-1]
    held = {
        "Arn": f"arn:aws:sts::{role.split(':')[4]}:assumed-role/{short}/{name}",
        "UserId": f"{short}:{name}",
        "SecretAccessKey": secret,
        "SessionToken": token,
        "Expiration": now + SESSION_SECONDS,
    }
    ministack.module("services.sts").register_session(key, held)
    until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + SESSION_SECONDS))
    return {"AccessKeyId": key, "SecretAccessKey": secret, "Token": token, "Expiration": until, "RoleArn": role}


def refusal(host: str, method: str, target: str, headers: list[list[str]], body: str) -> str | None:
    """Why a request to what answers at ``host`` is refused; nothing where it may pass.

    Args:
        host: One of ``endpoints.ALL``.
        method: As it came.
        target: Path and query, as they came.
        headers: Name and value of each, as they came.
        body: In base64.
    """
    endpoint = endpoints.at(host)
    service = _SERVICES[endpoint.kind]
    given = {name.lower(): value for name, value in headers}
    if service != "es" and given.get("x-amz-content-sha256") != "UNSIGNED-PAYLOAD":
        return "VPC Lattice takes no signed payload: x-amz-content-sha256 has to be UNSIGNED-PAYLOAD"
    evaluator, responses = ministack.module("core.iam_evaluator"), ministack.module("core.responses")
    path, _, query = target.partition("?")
    parsed = parse_qs(query, keep_blank_values=True)
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    evaluator.pin_request_origin("127.0.0.1", secure_transport=True)
    evaluator.pin_signed_request(method, path, parsed, raw)
    evaluator.pin_signed_body(base64.b64decode(body))
    key = ministack.module("core.router").extract_access_key_id(given, parsed)
    responses.set_request_account_id(key or "")
    responses.set_request_region(endpoint.region)
    action, resource = _ACTIONS[service](method), endpoint.resource + path
    network, vpc = lattice.network_of(endpoint.resource) if endpoint.kind == "lattice" else (None, "")
    keys = {"vpc-lattice-svcs:sourcevpc": vpc} if vpc else {}
    said = evaluator.enforce(key, action, service, endpoint.region, resource, keys)
    if said is not None:
        return getattr(said, "message", "") or f"{getattr(said, 'principal_arn', key)} may not {action} on {resource}"
    if endpoint.kind == "lattice":
        principal = evaluator.resolve_principal(key, endpoint.account)
        context = evaluator.EvalContext(
            principal_arn=principal.arn,
            principal_type=principal.type,
            principal_account=principal.account,
            action=action,
            resource_arn=resource,
            region=endpoint.region,
            service_context={**keys, "aws:principalaccount": principal.account},
            principal_keys=principal.keys,
        )
        if not evaluator.resource_policy_allows(network, context, same_account=False):
            return f"the service network does not let {principal.arn} in"
    return None
