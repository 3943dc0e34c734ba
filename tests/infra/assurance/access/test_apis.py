"""Who calls what IAM guards: Lattice by two doors, search domains, functions, and APIs by their routes."""

from pathlib import Path
from typing import Any

import pytest

from infra.assurance.facts import Relation
from tests.infra.assurance.access.asked import FOREIGN, HOME, Resources, allow, arn, asked, policy, role

INVOKE = "vpc-lattice-svcs:Invoke"
ROOT = f"root of {HOME}"


def callers(folder: Path, resources: Resources, api: str) -> set[str]:
    answer = asked(folder, resources)
    assert not answer.refused
    return {who for who, called in answer.of(Relation.CALLS) if called == api}


def lattice(of_service: list[Resources] | None, of_network: list[Resources] | None) -> Resources:
    """A service in a network; without statements, its door is open."""
    association = {"ServiceIdentifier": {"Ref": "Service"}, "ServiceNetworkIdentifier": {"Ref": "Network"}}
    found: Resources = {
        "In": {"Type": "AWS::VpcLattice::ServiceNetworkServiceAssociation", "Properties": association},
        "Named": role(allow(INVOKE, {"Fn::Sub": "${Service.Arn}/*"}), RoleName="named"),
        "Leave": role(allow(INVOKE)),
        "NoLeave": role(RoleName="noleave"),
    }
    for name, type_, statements in (("Service", "Service", of_service), ("Network", "ServiceNetwork", of_network)):
        by = "NONE" if statements is None else "AWS_IAM"
        found[name] = {"Type": f"AWS::VpcLattice::{type_}", "Properties": {"AuthType": by}}
        if statements:
            guarding = {"ResourceIdentifier": arn(name), "Policy": policy(*statements)}
            found[f"{name}Policy"] = {"Type": "AWS::VpcLattice::AuthPolicy", "Properties": guarding}
    return found


HERE = allow(INVOKE, Principal="*", Condition={"StringEquals": {"aws:PrincipalAccount": HOME}})
NAMED = allow(INVOKE, Principal={"AWS": [f"arn:aws:iam::{HOME}:role/named", f"arn:aws:iam::{HOME}:role/noleave"]})
EVERYONE = allow(INVOKE, Principal="*")


@pytest.mark.parametrize(
    ("of_service", "of_network", "who"),
    [
        ([NAMED], [HERE], {"Named"}),
        ([NAMED], None, {"Named"}),
        ([HERE], [NAMED], {"Named"}),
        ([HERE], [HERE], {"Named", "Leave", ROOT}),
        (None, [HERE], {"Named", "Leave", ROOT}),
        ([], [HERE], set[str]()),
        ([NAMED], [], set[str]()),
        (None, None, {"anyone"}),
        ([EVERYONE], None, {"anyone", "Named", "Leave"}),
    ],
)
def test_lattice_asks_at_both_doors_and_for_leave(
    tmp_path: Path, of_service: list[Resources] | None, of_network: list[Resources] | None, who: set[str]
) -> None:
    assert callers(tmp_path, lattice(of_service, of_network), "Service") == who


def domain(*statements: Resources) -> Resources:
    policies = {"AccessPolicies": policy(*statements)} if statements else {}
    return {"Type": "AWS::OpenSearchService::Domain", "Properties": {"DomainName": "search", **policies}}


SEARCH = f"arn:aws:es:us-east-1:{HOME}:domain/search"


def test_a_domain_admits_whom_its_policy_or_their_own_allows(tmp_path: Path) -> None:
    only = {"ArnNotEquals": {"aws:PrincipalArn": f"arn:aws:iam::{HOME}:role/reader"}}
    deny = {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "es:*", "Resource": "*", "Condition": only}
    roles = {
        "Reader": role(allow("es:ESHttpGet", f"{SEARCH}/index/*"), RoleName="reader"),
        "Admin": role(allow("es:CreateDomain")),
        "Wide": role(allow("es:*")),
    }
    assert callers(tmp_path / "none", {"Search": domain(), **roles}, "Search") == {"Reader", "Wide", ROOT}
    assert callers(tmp_path / "deny", {"Search": domain(deny), **roles}, "Search") == {"Reader"}


def test_a_domain_for_an_address_is_for_anyone_there(tmp_path: Path) -> None:
    by_address = allow("es:ESHttp*", Principal="*", Condition={"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}})
    assert "anyone" in callers(tmp_path, {"Search": domain(by_address)}, "Search")


FUNCTION: Resources = {"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": "fn"}}


@pytest.mark.parametrize(
    ("permission", "who"),
    [
        ({"Principal": "s3.amazonaws.com", "SourceAccount": HOME}, {"service s3.amazonaws.com"}),
        ({"Principal": FOREIGN}, {f"account {FOREIGN}"}),
        ({"Principal": "*"}, {"anyone"}),
        ({"Principal": "*", "PrincipalOrgID": "o-1234567890"}, {"organization o-1234567890"}),
    ],
)
def test_a_permission_lets_in_whom_it_names(tmp_path: Path, permission: Resources, who: set[str]) -> None:
    properties = {"FunctionName": arn("Function"), "Action": "lambda:InvokeFunction", **permission}
    resources = {"Function": FUNCTION, "Permission": {"Type": "AWS::Lambda::Permission", "Properties": properties}}
    assert callers(tmp_path, resources, "Function") - {ROOT} == who


@pytest.mark.parametrize(("by", "who"), [("NONE", {"anyone"}), ("AWS_IAM", set[str]())])
def test_a_functions_address_is_for_whom_it_asks(tmp_path: Path, by: str, who: set[str]) -> None:
    properties = {
        "FunctionName": {"Ref": "Function"},
        "Action": "lambda:InvokeFunctionUrl",
        "Principal": "*",
        "FunctionUrlAuthType": "NONE",
    }
    url = {"TargetFunctionArn": arn("Function"), "AuthType": by}
    resources = {
        "Function": FUNCTION,
        "Url": {"Type": "AWS::Lambda::Url", "Properties": url},
        "Permission": {"Type": "AWS::Lambda::Permission", "Properties": properties},
    }
    assert callers(tmp_path, resources, "Url") - {ROOT} == who


def rest(route: Resources, **properties: Any) -> Resources:
    method = {"RestApiId": {"Ref": "Api"}, "HttpMethod": "GET", **route}
    return {
        "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": properties},
        "Method": {"Type": "AWS::ApiGateway::Method", "Properties": method},
        "Authorizer": {"Type": "AWS::ApiGateway::Authorizer", "Properties": {"RestApiId": {"Ref": "Api"}}},
        "Caller": role(allow("execute-api:Invoke", {"Fn::Sub": "arn:aws:execute-api:*:*:${Api}/prod/GET/*"})),
    }


DENY = {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}


@pytest.mark.parametrize(
    ("resources", "who"),
    [
        (rest({"AuthorizationType": "NONE"}), {"anyone"}),
        (rest({}), {"anyone"}),
        (rest({"Integration": {"Type": "MOCK"}}), set[str]()),
        (rest({"AuthorizationType": "AWS_IAM"}), {"Caller", ROOT}),
        (
            rest({"AuthorizationType": "CUSTOM", "AuthorizerId": {"Ref": "Authorizer"}}),
            {"whoever AWS::ApiGateway::Authorizer Authorizer admits"},
        ),
        (rest({"AuthorizationType": "NONE"}, Policy=policy(DENY)), set[str]()),
        (rest({"AuthorizationType": "NONE"}, Policy=policy(allow("*", Principal="*"))), {"anyone"}),
    ],
)
def test_an_api_admits_by_its_routes(tmp_path: Path, resources: Resources, who: set[str]) -> None:
    assert callers(tmp_path, resources, "Api") == who


def test_an_http_api_asks_nobody_unless_it_says_so(tmp_path: Path) -> None:
    route = {"Type": "AWS::ApiGatewayV2::Route", "Properties": {"ApiId": {"Ref": "Api"}, "RouteKey": "GET /"}}
    api = {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Name": "api", "ProtocolType": "HTTP"}}
    assert callers(tmp_path, {"Api": api, "Route": route}, "Api") == {"anyone"}


def test_an_api_from_a_document_is_refused(tmp_path: Path) -> None:
    api = {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Body": {"openapi": "3.0.1"}}}
    (refused,) = asked(tmp_path, {"Api": api}).refused
    assert "AWS::ApiGateway::RestApi Api" in refused


def test_a_graph_is_for_each_of_its_providers(tmp_path: Path) -> None:
    more = [{"AuthenticationType": "AMAZON_COGNITO_USER_POOLS"}]
    properties = {"AuthenticationType": "API_KEY", "AdditionalAuthenticationProviders": more}
    api = {"Type": "AWS::AppSync::GraphQLApi", "Properties": properties}
    assert callers(tmp_path, {"Api": api}, "Api") == {"anyone", "whoever AMAZON_COGNITO_USER_POOLS admits"}
