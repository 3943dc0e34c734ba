"""The 24 defects that scanners were measured on."""

from collections.abc import Mapping
from typing import Any, Final

from tests.infra.assurance.seeded.defect import Application, Change, Defect, Said
from tests.infra.assurance.seeded.templates import Templates

FOREIGN = "999988887777"


def database_open_to_the_world(templates: Templates) -> Said:
    """Anyone may connect, as far as groups go."""
    templates.admit(templates.group(templates.database), CidrIp="0.0.0.0/0", FromPort=3306, ToPort=5432)
    return "internet", "reaches", templates.database.name


def unencrypted(templates: Templates) -> Said:
    """The database's storage is in plain text."""
    properties = templates.properties(templates.database)
    properties["StorageEncrypted"] = False
    properties.pop("KmsKeyId")
    return templates.database.name, "at rest", "none"


def plain_http_listener(templates: Templates) -> Said:
    """The load balancer speaks HTTP to people."""
    listener = templates.properties(templates.one("AWS::ElasticLoadBalancingV2::Listener"))
    listener["Protocol"] = "HTTP"
    listener.pop("SslPolicy")
    listener.pop("Certificates")
    return "internet", "hop", templates.load_balancer.name, "HTTP", "none"


def old_tls(templates: Templates) -> Said:
    """The load balancer admits TLS 1.0."""
    listener = templates.one("AWS::ElasticLoadBalancingV2::Listener")
    templates.properties(listener)["SslPolicy"] = "ELBSecurityPolicy-2016-08"
    return "internet", "hop", templates.load_balancer.name, "TLSv1.0"


def password_in_environment(templates: Templates) -> Said:
    """A password stands in a container's description."""
    container = templates.containers(templates.task)
    container.setdefault("Environment", []).append({"Name": "DB_PASSWORD", "Value": "correct-Horse-7-battery"})
    return templates.task.name, "secret in plain sight", "DB_PASSWORD"


def all_powerful_task(templates: Templates) -> Said:
    """A service may do anything."""
    templates.grant(templates.task_role, "*")
    return templates.task_role.name, "unlimited rights", "* on *"


def key_open_to_anyone(templates: Templates) -> Said:
    """A key's policy lets everybody in."""
    key = templates.found(templates.secret.value("KmsKeyId"))
    statement = {"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}
    templates.properties(key)["KeyPolicy"]["Statement"].append(statement)
    return "anyone", "uses key", key.name, "decrypt"


def search_without_node_to_node(templates: Templates) -> Said:
    """Nodes of a search domain talk in plain text."""
    domain = templates.one("AWS::OpenSearchService::Domain")
    templates.properties(domain)["NodeToNodeEncryptionOptions"] = {"Enabled": False}
    return domain.name, "encrypted between nodes", "no"


def writable_root(templates: Templates) -> Said:
    """A container may change its own program."""
    templates.containers(templates.task)["ReadonlyRootFilesystem"] = False
    return templates.task.name, "root file system"


def bucket_without_tls_only(templates: Templates) -> Said:
    """A bucket answers in plain text."""
    policy = next(
        policy for policy in templates.all("AWS::S3::BucketPolicy") if "SecureTransport" in str(policy.properties)
    )
    document = templates.properties(policy)["PolicyDocument"]
    kept = [statement for statement in document["Statement"] if "SecureTransport" not in str(statement)]
    bucket = templates.found(policy.value("Bucket"), "AWS::S3::Bucket")
    if kept:
        document["Statement"] = kept
    else:
        templates.remove(policy)
    return bucket.name, "TLS"


def root_user(templates: Templates) -> Said:
    """A container runs as root."""
    templates.containers(templates.task)["User"] = "0"
    return templates.task.name, "user"


def plain_text_database(templates: Templates) -> Said:
    """The database takes connections without TLS."""
    for group in templates.all("AWS::RDS::DBClusterParameterGroup", "AWS::RDS::DBParameterGroup"):
        parameters = templates.properties(group)["Parameters"]
        for name, off in {"rds.force_ssl": "0", "require_secure_transport": "OFF"}.items():
            if name in parameters:
                parameters[name] = off
                return "hop", templates.database.name, "none"
    raise AssertionError("no database insists on TLS")


def load_balancer_to_database(templates: Templates) -> Said:
    """Whoever takes over the load balancer is at the database."""
    door, inner = templates.group(templates.load_balancer), templates.group(templates.database)
    ports: dict[str, Any] = {"FromPort": 3306, "ToPort": 5432}
    templates.admit(inner, SourceSecurityGroupId={"Fn::GetAtt": [door.logical_id, "GroupId"]}, **ports)
    templates.let_out(door, DestinationSecurityGroupId={"Fn::GetAtt": [inner.logical_id, "GroupId"]}, **ports)
    return templates.load_balancer.name, "reaches", templates.database.name


def secret_to_a_foreign_account(templates: Templates) -> Said:
    """Another account may get a secret's value, and use its key."""
    secret = templates.secret
    principal = {"AWS": f"arn:aws:iam::{FOREIGN}:root"}
    allow = {"Effect": "Allow", "Principal": principal, "Resource": "*"}
    add_to_secrets_policy(templates, secret, {**allow, "Action": "secretsmanager:GetSecretValue"})
    key = templates.found(secret.value("KmsKeyId"))
    templates.properties(key)["KeyPolicy"]["Statement"].append({**allow, "Action": "kms:Decrypt"})
    return secret.name, "shared with", f"account {FOREIGN}"


def add_to_secrets_policy(templates: Templates, secret: Any, statement: Mapping[str, Any]) -> None:
    """A secret has one policy at most."""
    for policy in templates.all("AWS::SecretsManager::ResourcePolicy"):
        if templates.model.find(policy.value("SecretId")) is secret:
            templates.properties(policy)["ResourcePolicy"]["Statement"].append(statement)
            return
    document = {"Version": "2012-10-17", "Statement": [statement]}
    type_ = "AWS::SecretsManager::ResourcePolicy"
    templates.add(secret, "Added", type_, SecretId={"Ref": secret.logical_id}, ResourcePolicy=document)


def privileged_build(templates: Templates) -> Said:
    """A build that needs no Docker has its host's rights."""
    project = next(
        project for project in templates.all("AWS::CodeBuild::Project") if not _is_privileged(project.properties)
    )
    templates.properties(project)["Environment"]["PrivilegedMode"] = True
    return project.name, "privileged"


def _is_privileged(properties: Mapping[str, Any]) -> bool:
    return bool(properties["Environment"].get("PrivilegedMode"))


def log_group_without_key(templates: Templates) -> Said:
    """Logs are sealed with AWS's key instead of one's own."""
    group = templates.one("AWS::Logs::LogGroup")
    templates.properties(group).pop("KmsKeyId")
    return group.name, "at rest"


def public_database(templates: Templates) -> Said:
    """The database has a public address."""
    instance = templates.one("AWS::RDS::DBInstance")
    templates.properties(instance)["PubliclyAccessible"] = True
    return instance.name, "public"


def no_deletion_protection(templates: Templates) -> Said:
    """One call removes the database."""
    templates.properties(templates.database)["DeletionProtection"] = False
    return templates.database.name, "deletion protection"


def whole_vpc_to_database(templates: Templates) -> Said:
    """Everything in the VPC may connect."""
    group = templates.group(templates.database)
    vpc = templates.named(group, "AWS::EC2::VPC")
    templates.admit(group, CidrIp={"Fn::GetAtt": [vpc.logical_id, "CidrBlock"]}, FromPort=0, ToPort=65535)
    return vpc.value("CidrBlock"), "reaches", templates.database.name


def public_task(templates: Templates) -> Said:
    """A service's tasks have public addresses."""
    service = templates.service
    templates.properties(service)["NetworkConfiguration"]["AwsvpcConfiguration"]["AssignPublicIp"] = "ENABLED"
    return service.name, "public"


def wrong_service_reads_secret(templates: Templates) -> Said:
    """What has nothing to do with the database may read its secret."""
    name, arn, key = templates.database_secret
    stack = templates.database.stack
    other = next(
        role
        for role in templates.all("AWS::IAM::Role")
        if role is not templates.task_role and role.stack.account == stack.account and role.stack.region == stack.region
    )
    templates.grant(other, "secretsmanager:GetSecretValue", resource=arn)
    templates.grant(other, "kms:Decrypt", resource=key)
    return other.name, "opens", name


def every_secret(templates: Templates) -> Said:
    """A role may do everything with every secret."""
    templates.grant(templates.task_role, "secretsmanager:*")
    return templates.task_role.name, "unlimited rights", "secretsmanager:* on *"


def plain_last_hop(templates: Templates) -> Said:
    """The load balancer talks to the service in plain text."""
    group = templates.properties(templates.one("AWS::ElasticLoadBalancingV2::TargetGroup"))
    group["Protocol"] = "HTTP"
    return templates.load_balancer.name, "hop", templates.service.name, "HTTP", "none"


def no_firewall(templates: Templates) -> Said:
    """Nothing inspects what people send."""
    association = next(
        found
        for found in templates.all("AWS::WAFv2::WebACLAssociation")
        if templates.model.find(found.value("ResourceArn")) is templates.load_balancer
    )
    templates.remove(association)
    return templates.load_balancer.name, "web ACL", "none"


_OURS: Final = (Application.OURS,)
_CHANGES: Final[Mapping[str, Change]] = {
    "database open to the world": database_open_to_the_world,
    "unencrypted": unencrypted,
    "plain HTTP listener": plain_http_listener,
    "TLS 1.0 policy": old_tls,
    "password in a container's environment": password_in_environment,
    "task role *:*": all_powerful_task,
    "key open to anyone": key_open_to_anyone,
    "OpenSearch without node-to-node encryption": search_without_node_to_node,
    "writable root file system": writable_root,
    "bucket without the TLS-only policy": bucket_without_tls_only,
    "root user": root_user,
    "database without forced TLS": plain_text_database,
    "load balancer → database": load_balancer_to_database,
    "secret to a foreign account": secret_to_a_foreign_account,
    "privileged build project where none is needed": privileged_build,
    "log group without key": log_group_without_key,
    "database public": public_database,
    "no deletion protection": no_deletion_protection,
    "whole VPC → database": whole_vpc_to_database,
    "task with a public address": public_task,
    "wrong service reads the database's secret": wrong_service_reads_secret,
    "secretsmanager:* on *": every_secret,
    "last hop plain HTTP": plain_last_hop,
    "no WAF": no_firewall,
}
_ONLY_OURS: Final = {"OpenSearch without node-to-node encryption"}

DEFECTS: Final[Mapping[str, Defect]] = {
    name: Defect(name, change, _OURS if name in _ONLY_OURS else tuple(Application)) for name, change in _CHANGES.items()
}
"""By name."""
