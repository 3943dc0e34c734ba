"""More defects: rights that nobody should have, written in other ways and given to others."""

import json
from collections.abc import Mapping
from typing import Any, Final

from infra.assurance.model.resource import Resource
from tests.infra.assurance.seeded.defect import Application, Change, Defect, Said
from tests.infra.assurance.seeded.defects import FOREIGN, add_to_secrets_policy
from tests.infra.assurance.seeded.templates import Templates

ROLE = "AWS::IAM::Role"
FOREIGN_ROOT = f"arn:aws:iam::{FOREIGN}:root"


def _trust(templates: Templates, role: Resource, statement: Mapping[str, Any]) -> None:
    document = templates.properties(role)["AssumeRolePolicyDocument"]
    before = document["Statement"]
    document["Statement"] = [*(before if isinstance(before, list) else [before]), statement]


def _new_role(templates: Templates, beside: Resource, **properties: Any) -> str:
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = {"Version": "2012-10-17", "Statement": [trust]}
    return templates.add(beside, "AddedRole", ROLE, AssumeRolePolicyDocument=document, **properties)


def _policy(*statements: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"PolicyName": "added", "PolicyDocument": {"Version": "2012-10-17", "Statement": list(statements)}}]


def assumed_by_a_new_role(templates: Templates) -> Said:
    """Something else may take the service's role."""
    role = templates.task_role
    allow = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": templates.arn(role, role)}
    name = _new_role(templates, role, RoleName="added", Policies=_policy(allow))
    principal = {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}}
    _trust(templates, role, {"Effect": "Allow", "Principal": principal, "Action": "sts:*"})
    return name, "assumes", role.name


def assumed_by_a_foreign_account(templates: Templates) -> Said:
    """Another account may take the service's role."""
    role = templates.task_role
    _trust(templates, role, {"Effect": "Allow", "Principal": {"AWS": [FOREIGN]}, "Action": ["sts:AssumeRole"]})
    return f"account {FOREIGN}", "assumes", role.name


def assumed_by_anyone(templates: Templates) -> Said:
    """Everybody may take the service's role."""
    role = templates.task_role
    _trust(templates, role, {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"})
    return "anyone", "assumes", role.name


def assumed_from_the_web(templates: Templates) -> Said:
    """Whoever has a token of GitHub's, whatever it is for."""
    provider = "arn:aws:iam::222233334444:oidc-provider/token.actions.githubusercontent.com"
    role = templates.task_role
    statement = {"Effect": "Allow", "Principal": {"Federated": provider}, "Action": "sts:AssumeRoleWithWebIdentity"}
    _trust(templates, role, statement)
    return "token.actions.githubusercontent.com", "assumes", role.name


def passes_any_role(templates: Templates) -> Said:
    """A service may give any role to what it starts."""
    templates.grant(templates.task_role, "iam:PassRole")
    other = next(role for role in templates.all(ROLE) if role is not templates.task_role)
    return templates.task_role.name, "passes", other.name


def all_but(templates: Templates) -> Said:
    """Everything that is not named is allowed."""
    role = templates.task_role
    statement = {"Effect": "Allow", "NotAction": ["iam:*", "organizations:*"], "Resource": "*"}
    templates.add(role, "Added", "AWS::IAM::RolePolicy", RoleName={"Ref": role.logical_id}, **_policy(statement)[0])
    return role.name, "opens", templates.database_secret[0]


def all_resources_but(templates: Templates) -> Said:
    """Every secret that is not named is open."""
    role = templates.task_role
    actions = ["secretsmanager:Get*", "kms:decrypt"]
    statement = {"Effect": "Allow", "Action": actions, "NotResource": "arn:aws:secretsmanager:*:*:secret:other-*"}
    templates.add(role, "Added", "AWS::IAM::RolePolicy", RoleName={"Ref": role.logical_id}, **_policy(statement)[0])
    return role.name, "opens", templates.database_secret[0]


def by_managed_policy(templates: Templates) -> Said:
    """A policy of its own, attached by ARN, with a wildcard within the action."""
    role = templates.task_role
    statement = {"Effect": "Allow", "Action": ["*:GetSecretV?lue", "kms:Dec*"], "Resource": ["arn:aws:*"]}
    document = {"Version": "2012-10-17", "Statement": statement}
    templates.add(role, "Added", "AWS::IAM::ManagedPolicy", PolicyDocument=document)
    templates.properties(role).setdefault("ManagedPolicyArns", []).append({"Ref": "Added"})
    return role.name, "opens", templates.database_secret[0]


def by_policy_of_aws(templates: Templates) -> Said:
    """A policy of AWS's that allows everything."""
    role = templates.task_role
    arns = templates.properties(role).setdefault("ManagedPolicyArns", [])
    arns.append("arn:aws:iam::aws:policy/AdministratorAccess")
    return role.name, "unlimited rights", "* on *"


def unknown_policy_of_aws(templates: Templates) -> Said:
    """A policy of AWS's that nobody has a copy of."""
    role = templates.task_role
    arns = templates.properties(role).setdefault("ManagedPolicyArns", [])
    arns.append("arn:aws:iam::aws:policy/job-function/SomethingNewFullAccess")
    return "REFUSED", role.name, "SomethingNewFullAccess"


def grants_on_the_key(templates: Templates) -> Said:
    """Who may grant a key's use may use it."""
    key = templates.found(templates.secret.value("KmsKeyId"))
    role = templates.task_role
    statement = {"Effect": "Allow", "Principal": {"AWS": role.arn}, "Action": "kms:CreateGrant", "Resource": "*"}
    templates.properties(key)["KeyPolicy"]["Statement"].append(statement)
    return role.name, "uses key", key.name, "grant"


def secret_shared_by_its_policy(templates: Templates) -> Said:
    """A secret's own policy names another account; whether the key's does is for tomorrow."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{FOREIGN}:role/reader"},
        "Action": "secretsmanager:GetSecretValue",
        "Resource": "*",
    }
    add_to_secrets_policy(templates, templates.secret, statement)
    return templates.secret.name, "shared with", f"arn:aws:iam::{FOREIGN}:role/reader"


def _bucket_policy(templates: Templates, statement: Mapping[str, Any]) -> Resource:
    policy = templates.one("AWS::S3::BucketPolicy")
    bucket = templates.found(policy.value("Bucket"), "AWS::S3::Bucket")
    objects = {"Fn::Join": ["", [templates.arn(bucket, policy), "/*"]]}
    statement = {"Effect": "Allow", "Resource": objects, **statement}
    templates.properties(policy)["PolicyDocument"]["Statement"].append(statement)
    return bucket


def _open_key_of(templates: Templates, bucket: Resource, principal: object) -> None:
    """The objects' key, where it is one of the templates'."""
    text = json.dumps(bucket.properties.get("BucketEncryption", {}))
    for key in templates.all("AWS::KMS::Key"):
        if key.arn in text:
            statement = {"Effect": "Allow", "Principal": principal, "Action": "kms:Decrypt", "Resource": "*"}
            templates.properties(key)["KeyPolicy"]["Statement"].append(statement)


def bucket_for_a_foreign_account(templates: Templates) -> Said:
    """Another account may read a bucket."""
    principal = {"AWS": FOREIGN_ROOT}
    bucket = _bucket_policy(templates, {"Principal": principal, "Action": "s3:Get*"})
    _open_key_of(templates, bucket, principal)
    return f"account {FOREIGN}", "reads", bucket.name


def bucket_for_anyone(templates: Templates) -> Said:
    """Everybody may read a bucket."""
    bucket = _bucket_policy(templates, {"Principal": "*", "Action": ["s3:GetObject"]})
    _open_key_of(templates, bucket, "*")
    templates.properties(bucket).pop("PublicAccessBlockConfiguration", None)
    return "anyone", "reads", bucket.name


def images_for_a_foreign_account(templates: Templates) -> Said:
    """Another account may pull images."""
    repository = templates.one("AWS::ECR::Repository")
    actions = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"]
    statement = {"Effect": "Allow", "Principal": {"AWS": FOREIGN_ROOT}, "Action": actions}
    templates.properties(repository)["RepositoryPolicyText"] = {"Version": "2012-10-17", "Statement": [statement]}
    return f"account {FOREIGN}", "pulls", repository.name


def secret_written_out(templates: Templates) -> Said:
    """CloudFormation writes a secret into a function's environment."""
    function = templates.one("AWS::Lambda::Function")
    value = "{{resolve:secretsmanager:" + templates.secret.arn + ":SecretString:password}}"
    variables = templates.properties(function).setdefault("Environment", {}).setdefault("Variables", {})
    variables["ADDED"] = value
    return function.name, "opens", templates.secret.name


def secret_in_another_container(templates: Templates) -> Said:
    """A task that has no need for it is handed a secret."""
    container = {
        "Name": "added",
        "Image": "public.ecr.aws/docker/library/busybox:1",
        "Secrets": [{"Name": "ADDED", "ValueFrom": templates.secret.arn}],
    }
    role = templates.properties(templates.task)["ExecutionRoleArn"]
    task: dict[str, Any] = {"ExecutionRoleArn": role, "ContainerDefinitions": [container]}
    name = templates.add(templates.task, "Added", "AWS::ECS::TaskDefinition", **task)
    return name, "opens", templates.secret.name


def function_for_anyone(templates: Templates) -> Said:
    """A function has a public address and asks for no name."""
    function = templates.one("AWS::Lambda::Function")
    target = templates.arn(function, function)
    name = templates.add(function, "Added", "AWS::Lambda::Url", AuthType="NONE", TargetFunctionArn=target)
    templates.add(
        function,
        "AddedPermission",
        "AWS::Lambda::Permission",
        Action="lambda:InvokeFunctionUrl",
        FunctionName=target,
        FunctionUrlAuthType="NONE",
        Principal="*",
    )
    return "anyone", "calls", name


def search_for_anyone(templates: Templates) -> Said:
    """A search domain asks nobody for a name."""
    domain = templates.one("AWS::OpenSearchService::Domain")
    statement = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "es:*", "Resource": "*"}
    templates.properties(domain)["AccessPolicies"] = {"Version": "2012-10-17", "Statement": [statement]}
    return "anyone", "calls", domain.name


def mesh_without_names(templates: Templates) -> Said:
    """A service of VPC Lattice asks nobody for a name."""
    service = templates.one("AWS::VpcLattice::Service")
    templates.properties(service)["AuthType"] = "NONE"
    network = templates.one("AWS::VpcLattice::ServiceNetwork")
    templates.properties(network)["AuthType"] = "NONE"
    return "calls", service.name


def any_database_user(templates: Templates) -> Said:
    """A role may sign in as any user of any database."""
    templates.grant(templates.task_role, "rds-db:*")
    return templates.task_role.name, "connects as", templates.database.name, "*"


def new_user(templates: Templates) -> Said:
    """Somebody with a password and a key that never expire may read a secret."""
    secret, _, key_arn = templates.database_secret
    key = templates.found(key_arn)
    allow = {"Effect": "Allow", "Action": ["secretsmanager:*", "kms:*"], "Resource": "*"}
    name = templates.add(key, "Added", "AWS::IAM::User", Policies=_policy(allow))
    statement = {"Effect": "Allow", "Principal": {"AWS": {"Fn::GetAtt": "Added.Arn"}}, "Action": "*", "Resource": "*"}
    templates.properties(key)["KeyPolicy"]["Statement"].append(statement)
    return name, "opens", secret


def changes_roles(templates: Templates) -> Said:
    """Who may write policies may do anything."""
    templates.grant(templates.task_role, "iam:PutRolePolicy", "iam:AttachRolePolicy")
    return (templates.task_role.name,)


_ONLY: Final[Mapping[str, Application]] = {
    "images for a foreign account": Application.BOOKSHOP,
    "search for anyone": Application.OURS,
    "mesh without names": Application.OURS,
    "any user of the database": Application.OURS,
}
_CHANGES: Final[Mapping[str, Change]] = {
    "role assumed by a new role": assumed_by_a_new_role,
    "role assumed by a foreign account": assumed_by_a_foreign_account,
    "role assumed by anyone": assumed_by_anyone,
    "role assumed from the web": assumed_from_the_web,
    "iam:PassRole on *": passes_any_role,
    "NotAction": all_but,
    "NotResource": all_resources_but,
    "managed policy of its own": by_managed_policy,
    "AdministratorAccess": by_policy_of_aws,
    "unknown policy of AWS": unknown_policy_of_aws,
    "grants on the key": grants_on_the_key,
    "secret shared by its policy only": secret_shared_by_its_policy,
    "bucket for a foreign account": bucket_for_a_foreign_account,
    "bucket for anyone": bucket_for_anyone,
    "images for a foreign account": images_for_a_foreign_account,
    "secret written into an environment": secret_written_out,
    "secret in another container": secret_in_another_container,
    "function for anyone": function_for_anyone,
    "search for anyone": search_for_anyone,
    "mesh without names": mesh_without_names,
    "any user of the database": any_database_user,
    "new user": new_user,
    "rights to write policies": changes_roles,
}

RIGHTS: Final[Mapping[str, Defect]] = {
    name: Defect(name, change, (_ONLY[name],) if name in _ONLY else tuple(Application))
    for name, change in _CHANGES.items()
}
