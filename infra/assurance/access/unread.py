"""What decides about access and has no model here: refused by name, so that it is never passed over in silence."""

import re
from collections.abc import Iterator
from typing import Final, cast

from infra.assurance.access.reading import document, listed, reading, texts
from infra.assurance.model.assembly import Json
from infra.assurance.model.model import Model
from infra.assurance.model.resource import Resource

# They give access by themselves, without a policy document.
_GIVERS: Final = re.compile(
    r"AWS::(LakeFormation::(PrincipalPermissions|Permissions)|OpenSearchServerless::AccessPolicy|RAM::ResourceShare"
    r"|S3::AccessGrant|SSO::(Assignment|PermissionSet)|EKS::AccessEntry|Signer::ProfilePermission)"
)
_IAM: Final = frozenset(
    f"AWS::IAM::{kind}"
    for kind in (
        "AccessKey", "Group", "GroupPolicy", "InstanceProfile", "ManagedPolicy", "OIDCProvider", "Policy", "Role",
        "RolePolicy", "SAMLProvider", "ServerCertificate", "ServiceLinkedRole", "User", "UserPolicy",
        "UserToGroupAddition", "VirtualMFADevice",
    )
)  # fmt: skip
# Types of which every policy is read by a module beside this one.
_READ: Final = frozenset({
    "AWS::ApiGateway::RestApi", "AWS::Backup::BackupVault", "AWS::DynamoDB::Table", "AWS::ECR::Repository",
    "AWS::Elasticsearch::Domain", "AWS::IAM::Group", "AWS::IAM::GroupPolicy", "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Policy", "AWS::IAM::Role", "AWS::IAM::RolePolicy", "AWS::IAM::User", "AWS::IAM::UserPolicy",
    "AWS::KMS::Key", "AWS::KMS::ReplicaKey", "AWS::Kinesis::ResourcePolicy", "AWS::OpenSearchService::Domain",
    "AWS::EFS::FileSystem", "AWS::SNS::TopicInlinePolicy", "AWS::SQS::QueueInlinePolicy",
    "AWS::S3::BucketPolicy", "AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy", "AWS::SecretsManager::ResourcePolicy",
    "AWS::VpcLattice::AuthPolicy",
})  # fmt: skip
# These only take away: an endpoint's policy, an organisation's, an access point's beside the bucket's own.
_LIMITS: Final = frozenset({"AWS::EC2::VPCEndpoint", "AWS::Organizations::Policy", "AWS::S3::AccessPoint"})
# These let others send something in, and read nothing.
_INBOUND: Final = frozenset({
    "AWS::Events::EventBus", "AWS::Events::EventBusPolicy", "AWS::Logs::Destination", "AWS::SES::EmailIdentity",
})  # fmt: skip


def refuse_unread(model: Model) -> None:
    """Refuse every resource that decides about access in a way that is not read."""
    for resource, text in texts(model).items():
        type_ = resource.type
        with reading(model, resource):
            if _GIVERS.fullmatch(type_):
                raise resource.refuse(f"gives access in a way that is not modelled ({type_})")
            if type_.startswith("AWS::IAM::") and type_ not in _IAM:
                raise resource.refuse(f"is of a type of IAM that is not modelled ({type_})")
            if type_ in _READ or type_ in _LIMITS or type_ in _INBOUND:
                continue
            if "Statement" in text and not all(
                _names_services_only(each, resource) for each in _policies(resource.properties)
            ):
                raise resource.refuse(f"has a policy of a type that is not modelled ({type_})")


def _policies(value: Json) -> Iterator[Json]:
    """Policy documents anywhere in a value, which may be texts of JSON."""
    if isinstance(value, str) and '"Statement"' in value and '"Effect"' in value:
        yield value
    elif isinstance(value, list):
        for inner in cast("list[Json]", value):
            yield from _policies(inner)
    elif isinstance(value, dict):
        table = cast("dict[str, Json]", value)
        if any(isinstance(each, dict) and "Effect" in each for each in listed(table.get("Statement"))):
            yield table
        else:
            for inner in table.values():
                yield from _policies(inner)


def _names_services_only(value: Json, resource: Resource) -> bool:
    """Whether a policy lets in services of AWS alone, which act for the account that told them to."""
    allowing = (statement for statement in document(value, resource).statements if statement.allows)
    return all(
        statement.principals is not None and all(kind == "Service" for kind, _ in statement.principals)
        for statement in allowing
    )
