"""Secrets that stand in a template for everybody who may read it: never the value, only where it is.

Most resources are done with after a look at their text for words and shapes; only the others are taken apart.
"""

import base64
import binascii
import json
from collections.abc import Iterator
from typing import Final, NamedTuple, cast

from infra.assurance.model.assembly import Json
from infra.assurance.model.identity import is_unknown
from infra.assurance.model.intrinsics import NO_VALUE, resolve
from infra.assurance.model.model import Model
from infra.assurance.model.resource import Resource
from infra.assurance.transport.posture.telltale import (
    assigns_secret,
    holds_secret,
    is_called_secret,
    is_plain,
    looks_random,
    may_name_secret,
)

# How lists of variables are written: the key of the name, and of the value.
_PAIRS: Final = (("Name", "Value"), ("Key", "Value"), ("ParameterName", "ParameterValue"), ("OptionName", "Value"),
                 ("name", "value"), ("ParameterKey", "ParameterValue"))  # fmt: skip
_MAPS: Final = frozenset({"DefaultArguments", "Environment", "RuntimeEnvironmentVariables", "Variables"})
"""Tables of variables: the application chooses the names."""
_REFERENCES: Final = frozenset({"PARAMETER_STORE", "SECRETS_MANAGER"})
"""Types of a CodeBuild variable whose value is the name of a secret."""
_SCRIPTS: Final = frozenset({"UserData", "BuildSpec", "Command", "EntryPoint", "Buildspec"})
_VALUES_OF: Final = {"AWS::SSM::Parameter": ("Name", "Value"), "AWS::ApiGateway::ApiKey": ("", "Value")}
"""Types that are one named value: where the name is ("" if it needs none), and the value."""
_SKIPPED: Final = frozenset(
    {"AssumeRolePolicyDocument", "DashboardBody", "Dimensions", "KeyPolicy", "PolicyDocument", "Tags"}
)
"""Properties whose names are no names of secrets: policies speak about them, tags and metrics describe."""


_SAYS_NO_SECRET: Final = (
    *(
        "AWS::CloudWatch::",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::Policy",
        "AWS::IAM::Role",
        "AWS::KMS::",
        "AWS::Logs::",
    ),
    *("AWS::EC2::Route", "AWS::EC2::SecurityGroup", "AWS::EC2::Subnet", "AWS::EC2::VPC", "AWS::WAFv2::"),
)
"""Types (by how they begin) that are many and say nothing but policies, numbers and names of other resources."""


class _Text(NamedTuple):
    """A text of a template: what it is called, and whether the application chose that name."""

    name: str
    value: Json
    variable: bool = False
    script: bool = False


def says_no_secret(type_: str) -> bool:
    """Whether resources of a type have no place for a secret."""
    return type_.startswith(_SAYS_NO_SECRET)


def plain_secrets(model: Model, resource: Resource) -> Iterator[str]:
    """The name of each value of the resource that is a secret, or holds one.

    Raises:
        Refused: a value that may be one cannot be resolved.
    """
    if not resource.body.get("Properties") or says_no_secret(resource.type):
        return
    shaped = holds_secret(resource.written)
    if not shaped and not may_name_secret(resource.written):
        return
    found: dict[str, None] = {}
    for text in _texts_of(resource):
        value = _resolved(resource, text)
        if value and ((shaped and holds_secret(value)) or _is_secret(model, text, value)):
            found[text.name] = None
    if shaped and not found:
        found["somewhere"] = None
    yield from found


def _texts_of(resource: Resource) -> Iterator[_Text]:
    """Out of the template itself: what a function makes is computed only where it could matter."""
    properties: Json = resource.body["Properties"]
    if resource.type in _VALUES_OF:
        called, key = _VALUES_OF[resource.type]
        name = str(resource.value(called) or resource.logical_id) if called else "api key"
        yield _Text(name, properties.get(key), variable=True)
    yield from _texts("", properties)


def _texts(name: str, value: Json, *, variable: bool = False, script: bool = False) -> Iterator[_Text]:
    if name in _SKIPPED and not variable:
        return
    if isinstance(value, str):
        yield _Text(name, value, variable, script)
        if value[:1] in {"{", "["}:
            yield from _texts(name, _parsed(value))
    elif isinstance(value, list):
        parts = cast("list[Json]", value)
        if script and all(isinstance(part, str) for part in parts):
            parts = [" ".join(parts)]  # a command and its arguments
        for each in parts:
            yield from _texts(name, each, script=script)
    elif isinstance(value, dict):
        table = cast("dict[str, Json]", value)
        if _is_function(table):
            yield _Text(name, table, variable, script)
        else:
            yield from _inside(table, named=name in _MAPS, script=script)


def _inside(table: dict[str, Json], *, named: bool, script: bool) -> Iterator[_Text]:
    if pair := next((pair for pair in _PAIRS if set(pair) <= table.keys()), None):
        if not {str(table.get("Type")), str(table.get("type"))} & _REFERENCES:
            yield from _texts(str(table[pair[0]]), table[pair[1]], variable=True)
        return
    for key, inner in table.items():
        chosen = named or key.isupper() or key.startswith("--")
        yield from _texts(key, inner, variable=chosen, script=script or key in _SCRIPTS)


def _is_function(table: dict[str, Json]) -> bool:
    key = next(iter(table), "")
    return len(table) == 1 and (key == "Ref" or key.startswith("Fn::"))


def _parsed(text: str) -> Json:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _resolved(resource: Resource, text: _Text) -> str:
    """The text itself; of a function, its result where a name or a script makes it worth while, else its parts."""
    if isinstance(text.value, str):
        return text.value
    if text.value is None:
        return ""
    if text.script or is_called_secret(text.name):
        value = resolve(text.value, resource.scope, resource.name)
        return "" if value is NO_VALUE or not isinstance(value, str) else value
    return " ".join(_parts(text.value))


def _parts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in cast("list[Json]", value):
            yield from _parts(each)
    elif isinstance(value, dict):
        for each in cast("dict[str, Json]", value).values():
            yield from _parts(each)


def _is_secret(model: Model, text: _Text, value: str) -> bool:
    """Whether a text is a secret by its name, or looks like one; what has the shape of one was found before."""
    if text.script:
        script = _decoded(value)
        return assigns_secret(script) or holds_secret(script)
    random = text.variable and isinstance(text.value, str) and looks_random(text.name, value)
    if not random and not is_called_secret(text.name):
        return False
    return not (is_unknown(value) or is_plain(value) or model.find(value) or _names_secret(model, value))


def _names_secret(model: Model, value: str) -> bool:
    """Whether it is the name under which a secret or a parameter is kept."""
    kept = model.of_type("AWS::SecretsManager::Secret", "AWS::SSM::Parameter")
    return any(each.value("Name") == value for each in kept)


def _decoded(text: str) -> str:
    """User data is Base64; any other script is itself."""
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        return text
