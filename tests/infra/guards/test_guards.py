"""What travels with the account: how far any role can go, and what a deployment may do."""

import copy
import json
from collections.abc import Iterable, Iterator, Mapping

import pytest

from infra.delivery.settings import read_pipeline
from infra.guards import services
from infra.guards.accounts import GuardedAccount, guarded_accounts
from infra.guards.names import BOUNDARY, EXECUTION, READER
from infra.guards.policies import boundary, execution, read_by, reading
from infra.settings import read_environments
from tests.infra.guards.evaluation import allows
from tests.infra.promise import Stacks, environment_of, promise, setting, without
from tests.infra.template import Json, Template, as_list, reference

ACCOUNTS = guarded_accounts(read_environments(), read_pipeline(read_environments()))
PROD = next(account for account in ACCOUNTS.values() if "prod" in account.stages)
DEV = next(account for account in ACCOUNTS.values() if "dev" in account.stages)
TOOLING = next(account for account in ACCOUNTS.values() if "pipeline" in account.stages)
HOME = {"aws:RequestedRegion": PROD.region}
EPOCH = f"arn:aws:secretsmanager:{PROD.region}:{PROD.id}:secret:sanctum-prod-epochs/7-AbCdEf"
ROLL = {"aws:PrincipalArn": f"arn:aws:iam::{PROD.id}:role/sanctum-prod-backend-roll-keys"}
OURS = f"arn:aws:iam::{PROD.id}:role/prod-Compute-Something"
BOUND = {"iam:PermissionsBoundary": PROD.policy_arn(BOUNDARY)}
EVERY = pytest.mark.parametrize("account", ACCOUNTS.values(), ids=lambda a: "-".join(a.stages))

Request = tuple[str, str, Mapping[str, str]]

BEYOND: dict[str, Request] = {
    "make a user": ("iam:CreateUser", "*", HOME),
    "make an access key": ("iam:CreateAccessKey", "*", HOME),
    "admit another identity provider": ("iam:CreateOpenIDConnectProvider", "*", HOME),
    "make a role without the boundary": ("iam:CreateRole", OURS, HOME),
    "give a role without the boundary a policy": ("iam:PutRolePolicy", OURS, HOME),
    "give a role another boundary": (
        "iam:PutRolePermissionsBoundary",
        OURS,
        {"iam:PermissionsBoundary": "arn:aws:iam::aws:policy/AdministratorAccess"},
    ),
    "take the boundary from a role": ("iam:DeleteRolePermissionsBoundary", OURS, BOUND),
    "change the boundary": ("iam:CreatePolicyVersion", PROD.policy_arn(BOUNDARY), HOME),
    "change what a deployment may do": ("iam:SetDefaultPolicyVersion", PROD.policy_arn(EXECUTION[0]), HOME),
    "change a role of the deployment": (
        "iam:UpdateAssumeRolePolicy",
        f"arn:aws:iam::{PROD.id}:role/cdk-hnb659fds-deploy-role-{PROD.id}-{PROD.region}",
        HOME,
    ),
    "stop the trail": ("cloudtrail:StopLogging", "*", HOME),
    "remove the trail": ("cloudtrail:DeleteTrail", "*", HOME),
    "leave the organisation": ("organizations:LeaveOrganization", "*", HOME),
    "close the account": ("account:CloseAccount", "*", HOME),
    "work in another region": ("ecs:RunTask", "*", {"aws:RequestedRegion": "ap-southeast-1"}),
    "use a service that nothing is made of": ("sagemaker:CreateEndpoint", "*", HOME),
    "delete the database": ("rds:DeleteDBCluster", "*", HOME),
    "delete the memory": ("es:DeleteDomain", "*", HOME),
    "delete a key": ("kms:ScheduleKeyDeletion", "*", HOME),
    "delete a backup": ("backup:DeleteRecoveryPoint", "*", HOME),
    "delete a secret": (
        "secretsmanager:DeleteSecret",
        f"arn:aws:secretsmanager:{PROD.region}:{PROD.id}:secret:SigningKeys-AbCdEf",
        HOME | ROLL,
    ),
    "read an epoch's key": ("secretsmanager:GetSecretValue", EPOCH, HOME | {"aws:PrincipalArn": OURS}),
    "delete an epoch's key": ("secretsmanager:DeleteSecret", EPOCH, HOME | {"aws:PrincipalArn": OURS}),
}


@pytest.mark.parametrize("what", BEYOND)
def test_no_role_can_go_beyond_the_boundary(what: str) -> None:
    action, resource, context = BEYOND[what]
    assert not allows(boundary(PROD), action, resource, context)


def _forbids(document: Json) -> bool:
    return not any(allows(document, *request) for request in BEYOND.values())


def test_each_denial_of_the_boundary_is_needed_and_nothing_wider_would_do() -> None:
    whole = boundary(PROD)
    assert _forbids(whole)
    denials = [s["Sid"] for s in whole["Statement"] if s["Effect"] == "Deny"]
    assert denials
    for sid in denials:
        less = copy.deepcopy(whole)
        less["Statement"] = [s for s in less["Statement"] if s.get("Sid") != sid]
        assert not _forbids(less), sid
    for statement in range(len(whole["Statement"])):
        wider = copy.deepcopy(whole)
        wider["Statement"][statement] = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        assert not _forbids(wider), statement


def test_the_roll_can_destroy_the_key_of_an_epoch_where_no_other_secret_can_be_deleted() -> None:
    assert allows(boundary(PROD), "secretsmanager:DeleteSecret", EPOCH, HOME | ROLL)


def test_only_where_something_is_unprotected_can_data_be_deleted() -> None:
    assert allows(boundary(DEV), "kms:ScheduleKeyDeletion", "*", HOME)
    assert DEV.protected is False
    assert [a.stages for a in ACCOUNTS.values() if not a.protected] == [("dev",)]


NOT_DEPLOYED: dict[str, Request] = {
    **BEYOND,
    "pass a role to another service": ("iam:PassRole", OURS, {"iam:PassedToService": "ec2.amazonaws.com"}),
    "pass somebody else's role": (
        "iam:PassRole",
        f"arn:aws:iam::{PROD.id}:role/Admin",
        {"iam:PassedToService": "ecs-tasks.amazonaws.com"},
    ),
    "give a role of ours a policy of AWS": (
        "iam:AttachRolePolicy",
        OURS,
        BOUND | {"iam:PolicyARN": "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"},
    ),
    "give a role of ours everything": (
        "iam:AttachRolePolicy",
        OURS,
        BOUND | {"iam:PolicyARN": "arn:aws:iam::aws:policy/AdministratorAccess"},
    ),
    "change somebody else's role": ("iam:PutRolePolicy", f"arn:aws:iam::{PROD.id}:role/Admin", BOUND),
    "make a service-linked role of another service": (
        "iam:CreateServiceLinkedRole",
        f"arn:aws:iam::{PROD.id}:role/aws-service-role/sagemaker.amazonaws.com/X",
        {"iam:AWSServiceName": "sagemaker.amazonaws.com"},
    ),
    "read the administrator's password of the database": (
        "secretsmanager:GetSecretValue",
        f"arn:aws:secretsmanager:{PROD.region}:{PROD.id}:secret:rds!cluster-1",
        HOME,
    ),
    "read an epoch's key, as whoever": ("secretsmanager:GetSecretValue", EPOCH, HOME | ROLL),
    "make an epoch's key, as whoever": ("secretsmanager:CreateSecret", EPOCH, HOME | ROLL),
    "read what is remembered": ("es:ESHttpGet", "*", HOME),
    "read the database": ("rds-db:connect", "*", HOME),
    "read the logs": ("logs:FilterLogEvents", "*", HOME),
    "open a shell in a task": ("ecs:ExecuteCommand", "*", HOME),
    "read other people's files": ("s3:GetObject", "arn:aws:s3:::somebody-elses/file", HOME),
    "ask a model": ("bedrock:InvokeModel", "*", HOME),
}
DEPLOYED: dict[str, Request] = {
    "make a role": ("iam:CreateRole", OURS, BOUND),
    "give it a policy": ("iam:PutRolePolicy", OURS, BOUND),
    "pass it to a task": ("iam:PassRole", OURS, {"iam:PassedToService": "ecs-tasks.amazonaws.com"}),
    "let ECS look after itself": (
        "iam:CreateServiceLinkedRole",
        f"arn:aws:iam::{PROD.id}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
        {"iam:AWSServiceName": "ecs.amazonaws.com"},
    ),
    "let KMS keep a key the same in several regions": (
        "iam:CreateServiceLinkedRole",
        f"arn:aws:iam::{PROD.id}:role/aws-service-role/mrk.kms.amazonaws.com/X",
        {"iam:AWSServiceName": "mrk.kms.amazonaws.com"},
    ),
    "let S3 copy exports of keys": ("iam:PassRole", OURS, {"iam:PassedToService": "s3.amazonaws.com"}),
    "fetch the code of a function": (
        "s3:GetObject",
        f"arn:aws:s3:::cdk-hnb659fds-assets-{PROD.id}-{PROD.region}/x.zip",
        HOME,
    ),
    "ask how the account was prepared": (
        "ssm:GetParameters",
        f"arn:aws:ssm:{PROD.region}:{PROD.id}:parameter/cdk-bootstrap/hnb659fds/version",
        HOME,
    ),
    "deliver the firewall's logs": ("logs:CreateLogDelivery", "*", HOME),
    "mount the vault's store": ("backup-storage:MountCapsule", "*", HOME),
    "let RDS use a key": ("kms:CreateGrant", "*", HOME),
}


def _deploys(request: Request) -> bool:
    """By a policy of the deployment that allows it, none that denies it, and within the boundary."""
    joined: Json = {"Statement": [s for d in execution(PROD).values() for s in d["Statement"]]}
    return allows(joined, *request) and allows(boundary(PROD), *request)


@pytest.mark.parametrize("what", NOT_DEPLOYED)
def test_a_deployment_cannot(what: str) -> None:
    assert not _deploys(NOT_DEPLOYED[what])


@pytest.mark.parametrize("what", DEPLOYED)
def test_a_deployment_can(what: str) -> None:
    assert _deploys(DEPLOYED[what])


def _namespaces(templates: Iterable[Template]) -> set[str]:
    types = {r["Type"] for template in templates for r in template.resources().values()}
    return {t.rpartition("::")[0] for t in types if not t.startswith("Custom::")} - {"AWS::CDK", "AWS::CloudFormation"}


def test_a_deployment_has_the_services_that_the_environments_are_made_of_and_no_others(
    templates: dict[tuple[str, str], Template],
) -> None:
    assert _namespaces(templates.values()) == set(services.ENVIRONMENT)


def test_a_deployment_of_the_pipeline_has_the_services_that_it_is_made_of_and_no_others(
    application: dict[str, Template],
) -> None:
    assert _namespaces(t for name, t in application.items() if name.startswith("pipeline")) == set(services.PIPELINE)


def _principals(template: Template) -> set[str]:
    trusts = [r["Properties"]["AssumeRolePolicyDocument"] for r in template.resources("AWS::IAM::Role").values()]
    services_ = [s["Principal"].get("Service") for trust in trusts for s in trust["Statement"]]
    return {name for service in services_ if service for name in as_list(service)}


def test_roles_are_passed_to_the_services_that_they_are_for_and_no_others(
    templates: dict[tuple[str, str], Template], application: dict[str, Template]
) -> None:
    trusted = {name for template in [*templates.values(), *application.values()] for name in _principals(template)}
    assert trusted == set(services.PASSED_TO.values())


def test_no_role_has_a_policy_of_aws_for_a_deployment_can_give_none(
    templates: dict[tuple[str, str], Template], application: dict[str, Template]
) -> None:
    roles = [p for t in [*templates.values(), *application.values()] for p in t.properties("AWS::IAM::Role")]
    assert len(roles) > len(ACCOUNTS)
    assert [role["ManagedPolicyArns"] for role in roles if "ManagedPolicyArns" in role] == []


@promise(
    a_role_without_it=without("AWS::IAM::Role", "PermissionsBoundary"),
    another_one=setting("AWS::IAM::Role", "PermissionsBoundary", "arn:aws:iam::aws:policy/AdministratorAccess"),
)
def test_every_role_has_the_boundary(stacks: Stacks) -> None:
    expected = f"arn:aws:iam::{stacks.settings.account.id}:policy/{BOUNDARY}"
    assert [r.get("PermissionsBoundary") for r in stacks.properties("AWS::IAM::Role")] == [
        expected for _ in stacks.properties("AWS::IAM::Role")
    ]


def _statements(account: GuardedAccount, template: Template) -> Iterator[tuple[str, Json]]:
    """The ARN of each role and what it is allowed, inline or not; ids stand for the names that AWS makes of them."""
    roles = template.resources("AWS::IAM::Role")
    documents = {name: [p["PolicyDocument"] for p in r["Properties"].get("Policies", [])] for name, r in roles.items()}
    for policy in template.properties("AWS::IAM::Policy"):
        for role in policy["Roles"]:
            documents.setdefault(reference(role), []).append(policy["PolicyDocument"])
    for role, policies in documents.items():
        name = roles.get(role, {}).get("Properties", {}).get("RoleName", role)
        for statement in (s for document in policies for s in document["Statement"] if s["Effect"] == "Allow"):
            yield f"arn:aws:iam::{account.id}:role/{name}", statement


def _cut(account: GuardedAccount, templates: list[Template]) -> list[str]:
    """The actions of the roles that the boundary would take away."""
    within = {"iam:PermissionsBoundary": account.policy_arn(BOUNDARY), "aws:RequestedRegion": account.region}
    document, cut = boundary(account), set[str]()
    for template in templates:
        for role, statement in _statements(account, template):
            resources = [r if isinstance(r, str) else "*" for r in as_list(statement.get("Resource", "*"))]
            for action in as_list(statement["Action"]):
                asked = [
                    allows(document, action.replace("*", "X"), resource, within | {"aws:PrincipalArn": role})
                    for resource in resources
                ]
                cut |= {action} if not all(asked) else set[str]()
    return sorted(cut)


@pytest.mark.parametrize("name", ["dev", "staging", "prod"])
def test_the_boundary_lets_every_role_do_its_work(name: str, templates: dict[tuple[str, str], Template]) -> None:
    stacks = environment_of(templates, name)
    account = ACCOUNTS[stacks.settings.account.id]
    assert _cut(account, list(stacks.templates.values())) == []
    stacks["Compute"].body["Resources"]["More"] = {
        "Type": "AWS::IAM::Policy",
        "Properties": {
            "Roles": ["Other"],
            "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "sagemaker:CreateEndpoint"}]},
        },
    }
    assert _cut(account, list(stacks.templates.values())) == ["sagemaker:CreateEndpoint"]
    del stacks["Compute"].body["Resources"]["More"]


def test_the_boundary_lets_every_role_of_the_pipeline_do_its_work(application: dict[str, Template]) -> None:
    assert _cut(TOOLING, [t for name, t in application.items() if name.startswith("pipeline")]) == []


@EVERY
def test_a_managed_policy_is_as_short_as_iam_asks(account: GuardedAccount) -> None:
    for document in (boundary(account), *execution(account).values()):
        assert len(json.dumps(document, separators=(",", ":"))) <= 6144


@EVERY
def test_the_guards_are_deployed_as_they_were_tested_and_by_no_deployment(
    account: GuardedAccount, application: dict[str, Template]
) -> None:
    template = application[account.stack]
    deployed = {p["ManagedPolicyName"]: p["PolicyDocument"] for p in template.properties("AWS::IAM::ManagedPolicy")}
    assert deployed == {BOUNDARY: boundary(account), **execution(account)}
    assert template.termination_protection
    assert "Parameters" not in template.body  # it does not ask for a bootstrap, which comes after it


DELIVERED = [account for account in ACCOUNTS.values() if account.readers]
STACK = f"arn:aws:cloudformation:{PROD.region}:{PROD.id}:stack/"
READ = {
    "see the template of a stack": ("cloudformation:GetTemplate", f"{STACK}prod-Data/1"),
    "see it where backups are copied to": (
        "cloudformation:GetTemplate",
        f"arn:aws:cloudformation:us-west-2:{PROD.id}:stack/prod-BackupCopy/1",
    ),
    "see whether a stack may be removed": ("cloudformation:DescribeStacks", f"{STACK}prod-Data/1"),
    "see which stacks there are": ("cloudformation:ListStacks", "*"),
}
NOT_READ = {
    "see the templates of somebody else": ("cloudformation:GetTemplate", f"{STACK}CDKToolkit/1"),
    "change a stack": ("cloudformation:UpdateStack", f"{STACK}prod-Data/1"),
    "remove a stack": ("cloudformation:DeleteStack", f"{STACK}prod-Data/1"),
    "read a file": ("s3:GetObject", "arn:aws:s3:::somebody-elses/file"),
    "read a log": ("logs:FilterLogEvents", "*"),
    "read a secret": ("secretsmanager:GetSecretValue", EPOCH),
    "take on another role": ("sts:AssumeRole", f"arn:aws:iam::{PROD.id}:role/Admin"),
}


@pytest.mark.parametrize("what", [*READ, *NOT_READ])
def test_the_guard_of_the_pipeline_can_read_what_is_deployed_and_nothing_else(what: str) -> None:
    assert allows(reading(PROD), *(READ | NOT_READ)[what]) == (what in READ)


def test_only_the_pipelines_own_guard_of_this_environment_can_take_that_role_on() -> None:
    (trust,) = read_by(PROD)["Statement"]
    assert trust["Principal"] == {"AWS": [f"arn:aws:iam::{TOOLING.id}:root"]}
    own = f"arn:aws:iam::{TOOLING.id}:role/sanctum-pipeline-guard-prod"
    assert trust["Condition"] == {"ArnEquals": {"aws:PrincipalArn": [own]}}
    assert trust["Action"] == "sts:AssumeRole"


@EVERY
def test_the_role_that_reads_is_made_by_a_person_where_the_pipeline_deploys_and_nowhere_else(
    account: GuardedAccount, application: dict[str, Template]
) -> None:
    roles = application[account.stack].properties("AWS::IAM::Role")
    expected = [(READER, read_by(account), [reading(account)])] if account in DELIVERED else []
    assert [
        (r["RoleName"], r["AssumeRolePolicyDocument"], [p["PolicyDocument"] for p in r["Policies"]]) for r in roles
    ] == expected
    assert {stage for account in DELIVERED for stage in account.stages} == {"staging", "prod"}


@EVERY
def test_an_account_is_bootstrapped_with_the_guards(account: GuardedAccount) -> None:
    policies = ",".join(account.policy_arn(name) for name in EXECUTION)
    assert f"--cloudformation-execution-policies={policies}" in account.bootstrap
    assert f"--custom-permissions-boundary={BOUNDARY}" in account.bootstrap
    trusted = {f"--trust={TOOLING.id}"} if {"staging", "prod"} & set(account.stages) else set[str]()
    assert {a for a in account.bootstrap if a.startswith("--trust")} == trusted


def test_the_region_of_the_backups_is_bootstrapped_too() -> None:
    assert {f"aws://{PROD.id}/us-east-1", f"aws://{PROD.id}/us-west-2"} <= set(PROD.bootstrap)
    assert {f"aws://{TOOLING.id}/us-east-1", f"aws://{TOOLING.id}/us-west-2"} <= set(TOOLING.bootstrap)
