"""What `Ref` and `Fn::GetAtt` of a resource are, as far as the proof needs to tell resources and their ARNs apart.

A generated name looks as CloudFormation makes it, so that a pattern over names means what it will mean in an account:
<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-ref.html>.
An attribute without a known form (`arns` has them) is a text that equals only itself.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from infra.assurance.model.arns import ARNS, ATTRIBUTES, LOWER_CASE, NAME_KEYS, PORTS, REF_IS_ARN, REFS, STANDS_FOR

if TYPE_CHECKING:
    from infra.assurance.model.assembly import Stack
    from infra.assurance.model.resource import Resource

OPAQUE: Final = "⟦"
"""What an attribute without a known form begins with: no part of such a text is known, only whose it is."""

_FIELD: Final = re.compile(r"\{(\.?\w+)\}")
_BALANCERS: Final = {"network": "net", "gateway": "gwy"}
"""Of a load balancer's ARN, by its type; the application's is `app`."""


def digest(resource: "Resource", length: int) -> str:
    """As many lower-case hexadecimal characters as are wanted, this resource's own and always the same."""
    return _digest(f"{_home(resource.stack)}/{resource.logical_id}")[:length]


@cache
def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def stack_id(stack: "Stack") -> str:
    """ARN of a stack, which ends in an identifier that CloudFormation makes up."""
    own = _as_uuid(_digest(_home(stack)))
    return f"arn:{stack.partition}:cloudformation:{stack.region}:{stack.account}:stack/{stack.name}/{own}"


def is_custom(resource: "Resource") -> bool:
    """Whether a program of the application's own decides what the resource's attributes are."""
    return resource.type.startswith("Custom::") or resource.type == "AWS::CloudFormation::CustomResource"


def physical_name(resource: "Resource") -> str:
    """The name in the account: the one in the properties, or one as CloudFormation would make it up."""
    if isinstance(name := _given_name(resource), str):
        return name.removeprefix("/") if resource.type == "AWS::SSM::Parameter" else name
    if resource.type == "AWS::SecretsManager::Secret":
        return f"{resource.logical_id}-{digest(resource, 12)}"
    name = f"{resource.stack.name}-{resource.logical_id}-{digest(resource, 12)}"
    return name.lower() if resource.type in LOWER_CASE else name


def arn(resource: "Resource") -> str:
    """Its ARN; of a type without a known form, a text in the form of one that equals only itself."""
    _, service, kind = (*resource.type.split("::"), "", "")[:3]
    form = ARNS.get(resource.type, f"{service.lower()}:{{region}}:{{account}}:{kind.lower()}/{{id}}")
    return f"arn:{resource.stack.partition}:{_filled(form, resource)}"


def ref(resource: "Resource") -> str:
    """What `Ref` gives."""
    if target := STANDS_FOR.get(resource.type):
        return str(resource.value(target))
    if resource.type in REF_IS_ARN:
        return arn(resource)
    if is_custom(resource):
        return unknown(f"Ref of {resource.name}")
    if form := REFS.get(resource.type):
        return _filled(form, resource)
    return physical_name(resource) if _is_named(resource) else _generated_id(resource)


def attribute(resource: "Resource", name: str) -> object:
    """What `Fn::GetAtt` gives."""
    kind = resource.type.rpartition("::")[2]
    if is_custom(resource):
        return unknown(f"{name} of {resource.name}")
    if form := ATTRIBUTES.get((resource.type, name)):
        found: object = _filled(form, resource)
    elif name in {"Arn", f"{kind}Arn"}:
        found = arn(resource)
    elif (given := resource.value(name)) is not None:
        found = given
    elif name in {"Name", f"{kind}Name"} and _is_named(resource):
        found = physical_name(resource)
    elif name.lower() in {"id", f"{kind.lower()}id"} and "{id}" in ARNS.get(resource.type, "{id}"):
        found = _generated_id(resource)
    elif name == "MasterUserSecret.SecretArn":
        found = managed_secret_arn(resource)
    elif name == "Port" or name.endswith(".Port"):
        found = _port(resource)
    else:
        found = f"{OPAQUE}{name} of {_generated_id(resource)}⟧"
    return found


def managed_secret_arn(database: "Resource") -> str:
    """ARN of the secret that RDS makes and keeps for a database whose master password it manages.

    <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-secrets-manager.html>
    """
    stack, kind = database.stack, "cluster" if database.type.endswith("Cluster") else "db"
    name = f"rds!{kind}-{_as_uuid(digest(database, 32))}-{digest(database, 6)}"
    return f"arn:{stack.partition}:secretsmanager:{stack.region}:{stack.account}:secret:{name}"


def unknown(what: str) -> str:
    """A value that only a deployment knows. Whoever needs its meaning must refuse it: `is_unknown` tells."""
    return f"⟪{what}⟫"


def is_unknown(value: object) -> bool:
    """Whether a resolved text has a part that no file tells: a custom resource's answer, or a dynamic reference."""
    return isinstance(value, str) and ("⟪" in value or "{{resolve:" in value)


def _filled(form: str, resource: "Resource") -> str:
    return _FIELD.sub(lambda match: _field(resource, match.group(1)), form)


def _field(resource: "Resource", field: str) -> str:
    return _last(resource, field[1:]) if field.startswith(".") else _FIELDS[field](resource)


def _last(resource: "Resource", key: str) -> str:
    return str(resource.value(key) or "").rpartition("/")[2]


def _balancer(resource: "Resource") -> str:
    """Kind of a load balancer; of a listener, kind, name and identifier of its balancer."""
    if resource.type.endswith("::Listener"):
        return str(resource.value("LoadBalancerArn")).partition(":loadbalancer/")[2]
    return _BALANCERS.get(str(resource.value("Type")), "app")


def _function(resource: "Resource") -> str:
    """Name of the function that something belongs to."""
    named = str(resource.value("FunctionName") or resource.value("TargetFunctionArn"))
    return named.partition(":function:")[2] or named


def _port(resource: "Resource") -> str:
    """Where a data store listens: the port in its template, or else its engine's."""
    service = resource.type.rpartition("::")[0]
    given = resource.value("Port")
    engine = next((port for start, port in _PORTS if str(resource.value("Engine")).startswith(start)), None)
    found = given or engine or PORTS.get(service)
    if not found:
        raise resource.refuse("has a port that its template does not tell")
    return str(found)


# The longest first: what begins like aurora-mysql begins like aurora, too.
_PORTS: Final = sorted(PORTS.items(), key=lambda entry: -len(entry[0]))


def _given_name(resource: "Resource") -> object:
    """What the template calls it, if it does. (A resource of EC2 has its name in a tag, which names nothing.)"""
    kind = resource.type.rpartition("::")[2]
    if resource.type.startswith("AWS::EC2::"):
        return None
    keys = (NAME_KEYS.get(resource.type, ""), f"{kind}Name", f"{kind}Identifier", "Name", "Family")
    return next((name for key in keys if key and isinstance(name := resource.value(key), str)), None)


def _is_named(resource: "Resource") -> bool:
    if resource.type in ARNS:
        return "{name}" in ARNS[resource.type]
    kind = resource.type.rpartition("::")[2]
    return not resource.type.startswith("AWS::EC2::") and isinstance(resource.value(f"{kind}Name"), str)


def _generated_id(resource: "Resource") -> str:
    return f"{resource.stack.name}-{resource.logical_id}-{digest(resource, 17)}"


def _home(stack: "Stack") -> str:
    return f"{stack.stage}/{stack.account}/{stack.region}/{stack.name}"


def _as_uuid(digits: str) -> str:
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:32]))


_FIELDS: "Final[Mapping[str, Callable[[Resource], str]]]" = {
    "account": lambda resource: resource.stack.account,
    "arn": arn,
    "balancer": _balancer,
    "cluster": lambda resource: _last(resource, "Cluster") or "default",
    "dns": lambda resource: "amazonaws.com.cn" if resource.stack.partition == "aws-cn" else "amazonaws.com",
    "function": _function,
    "group": lambda resource: _last(resource, "GroupName") or "default",
    "id": _generated_id,
    "issuer": lambda resource: str(resource.value("Url") or _generated_id(resource)).removeprefix("https://"),
    "name": physical_name,
    "path": lambda resource: str(resource.value("Path") or "/"),
    "region": lambda resource: resource.stack.region,
    "scope": lambda resource: str(resource.value("Scope")).lower(),
    "suffix": lambda resource: digest(resource, 6),
}
