"""APIs with an address of their own: Lambda functions and their URLs, API Gateway, AppSync; who may call each.

What an authorizer admits, only its program or its user pool knows: such a row says whose word counts.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from infra.assurance.access.actors import ANYONE
from infra.assurance.access.desk import Desk, Question, sentence
from infra.assurance.access.guarded import Doors, Guarded
from infra.assurance.access.policies.document import Document
from infra.assurance.access.reading import listed, merged, reading, within
from infra.assurance.facts import Fact, Relation
from infra.assurance.model.assembly import Json
from infra.assurance.model.model import Model
from infra.assurance.model.resource import Resource

FUNCTION: Final = "AWS::Lambda::Function"
REST: Final = "AWS::ApiGateway::RestApi"
HTTP: Final = "AWS::ApiGatewayV2::Api"
GRAPH: Final = "AWS::AppSync::GraphQLApi"
_URL: Final = "AWS::Lambda::Url"
_INVOKE: Final = "lambda:InvokeFunction"
_INVOKE_URL: Final = "lambda:InvokeFunctionUrl"
_EXECUTE: Final = "execute-api:Invoke"
_ASK: Final = "appsync:GraphQL"
_BY_IAM: Final = "AWS_IAM"
_NOBODY_ASKED: Final = frozenset({"NONE", "API_KEY"})
# Conditions of a Lambda permission: <https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html>.
_CONDITIONS: Final = {
    "SourceAccount": ("StringEquals", "aws:SourceAccount"),
    "SourceArn": ("ArnLike", "aws:SourceArn"),
    "PrincipalOrgID": ("StringEquals", "aws:PrincipalOrgID"),
    "FunctionUrlAuthType": ("StringEquals", "lambda:FunctionUrlAuthType"),
    "EventSourceToken": ("StringEquals", "lambda:EventSourceToken"),
}
# By type: what its routes are, their property for the API, and whether it has them elsewhere than in templates.
_ROUTES: Final = {REST: ("AWS::ApiGateway::Method", "RestApiId"), HTTP: ("AWS::ApiGatewayV2::Route", "ApiId")}
_ELSEWHERE: Final = ("Body", "BodyS3Location")


class Endpoints:
    """The functions and the APIs of an assembly."""

    def __init__(self, model: Model) -> None:
        self.model = model
        permissions = _permissions(model)
        doors = Doors(model, {REST: "Policy", FUNCTION: "", HTTP: "", GRAPH: ""})
        self.functions: dict[Resource, Guarded] = {}
        for function in model.of_type(FUNCTION):
            with reading(model, function):
                self.functions[function] = doors.of(function, policy=merged(permissions[function]))
        self.apis: list[Guarded] = []
        for api in model.of_type(REST, HTTP):
            with reading(model, api):
                stack = api.stack
                arn = f"arn:{stack.partition}:execute-api:{stack.region}:{stack.account}:{api.ref}"
                self.apis.append(doors.of(api, arn=arn))
        self.graphs = [door for door in doors.known() if door.resource.type == GRAPH]

    @property
    def doors(self) -> list[Guarded]:
        """Each of them."""
        return [*self.functions.values(), *self.apis]


def reached(desk: Desk, endpoints: Endpoints) -> list[Fact]:
    """Who calls which of them."""
    found: list[Fact] = []
    model = endpoints.model
    for door in endpoints.functions.values():
        for arn in (door.arn, f"{door.arn}:version"):
            found += _by_iam(desk, Question(_INVOKE, door, resource=arn), door)
    for url in model.of_type(_URL):
        with reading(model, url):
            found += _by_url(desk, endpoints, url)
    for door in endpoints.apis:
        with reading(model, door.resource):
            found += _by_route(desk, model, door)
    for door in endpoints.graphs:
        with reading(model, door.resource):
            found += _by_provider(desk, door)
    return found


def function_named(model: Model, value: Json, near: Resource) -> Resource | None:
    """The function that a name, an ARN, or the ARN of a version or an alias means."""
    if found := model.find(value, FUNCTION, near=near):
        return found
    if pointer := model.find(value, "AWS::Lambda::Version", "AWS::Lambda::Alias", near=near):
        return function_named(model, pointer.value("FunctionName"), pointer)
    text = str(value)
    shorter = text.rpartition(":")[0] if text.count(":") in {1, 7} else ""
    return model.find(shorter, FUNCTION, near=near) if shorter else None


def _permissions(model: Model) -> dict[Resource, list[Document]]:
    found: dict[Resource, list[Document]] = defaultdict(list)
    for permission in model.of_type("AWS::Lambda::Permission"):
        with reading(model, permission):
            if function := function_named(model, permission.value("FunctionName"), permission):
                found[function].append(_permission(permission))
    return found


def _permission(permission: Resource) -> Document:
    principal: str = permission.value("Principal")
    service = "." in principal and not principal.startswith("arn:")
    named: Json = "*" if principal == "*" else {"Service" if service else "AWS": principal}
    conditions: dict[str, dict[str, str]] = defaultdict(dict)
    for key, (operator, name) in _CONDITIONS.items():
        if value := permission.value(key):
            conditions[operator][name] = value
    statement = {"Effect": "Allow", "Principal": named, "Action": permission.value("Action"), "Resource": "*"}
    text = {"Version": "2012-10-17", "Statement": {**statement, "Condition": dict(conditions)}}
    return Document.parse(text, permission.name)


def _by_url(desk: Desk, endpoints: Endpoints, url: Resource) -> Iterator[Fact]:
    """<https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html>."""
    function = function_named(endpoints.model, url.value("TargetFunctionArn"), url)
    if function is None or function not in endpoints.functions:
        raise url.refuse("is the address of a function that no template has")
    door = endpoints.functions[function]
    context = {"lambda:FunctionUrlAuthType": (str(url.value("AuthType")),)}
    by_url = door._replace(name=url.name, evidence=(url, *door.evidence))
    return _by_iam(desk, Question(_INVOKE_URL, by_url, context=context), by_url)


def _by_route(desk: Desk, model: Model, api: Guarded) -> Iterator[Fact]:
    """<https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html>."""
    resource = api.resource
    if any(resource.value(key) for key in _ELSEWHERE):
        raise resource.refuse("has its routes in an OpenAPI document, which is not read")
    type_, key = _ROUTES[resource.type]
    routes = [route for route in model.of_type(type_) if model.find(route.value(key), near=route) is resource]
    for route in routes:
        if within(route.value("Integration"), "Type") != "MOCK":  # answers by itself: a browser's preflight request
            authorizer = model.find(route.value("AuthorizerId"), near=route)
            by = str(route.value("AuthorizationType") or "NONE")
            yield from _admitted(desk, api, by, authorizer.name if authorizer else by, route)
    if not routes and resource.value("Target"):
        yield from _admitted(desk, api, "NONE", "", resource)


def _by_provider(desk: Desk, api: Guarded) -> Iterator[Fact]:
    """<https://docs.aws.amazon.com/appsync/latest/devguide/security-authz.html>."""
    resource = api.resource
    for provider in (resource.value("AuthenticationType"), *_additional(resource)):
        yield from _admitted(desk, api, str(provider), str(provider), resource, action=_ASK)


def _additional(resource: Resource) -> list[Json]:
    providers = listed(resource.value("AdditionalAuthenticationProviders"))
    return [within(provider, "AuthenticationType") for provider in providers]


def _admitted(
    desk: Desk, api: Guarded, by: str, authorizer: str, route: Resource, *, action: str = _EXECUTE
) -> Iterator[Fact]:
    if by == _BY_IAM:
        for part in desk.parts(api, action.partition(":")[0]):
            yield from _by_iam(desk, Question(action, api, resource=part), api)
    elif by in _NOBODY_ASKED:
        yield from _unsigned(desk, api, route, action)
    else:
        who = f"whoever {authorizer} admits"
        yield Fact(Relation.CALLS, (who, api.name), (route, *api.evidence), (f"{route.name} asks {authorizer}",))


def _unsigned(desk: Desk, api: Guarded, route: Resource, action: str) -> Iterator[Fact]:
    """Whom nobody asks who they are, the API's own policy may still turn away."""
    steps = [f"{route.name} asks nobody who they are"]
    if api.policy:
        answers = desk.answers(Question(action, api, resource=f"{api.arn}/part"))
        found = [sentence(actor, action, api, why) for actor, why in answers.items() if actor.name == ANYONE]
        if not found:
            return
        steps += found
    yield Fact(Relation.CALLS, (ANYONE, api.name), (route, *api.evidence), tuple(steps))


def _by_iam(desk: Desk, question: Question, api: Guarded) -> Iterator[Fact]:
    for actor, decision in desk.answers(question).items():
        path = (sentence(actor, question.action, api, decision),)
        yield Fact(Relation.CALLS, (actor.name, api.name), (*actor.evidence, *api.evidence), path)
