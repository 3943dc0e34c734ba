"""What `Ref` and `Fn::GetAtt` of a resource are, as far as the proof needs to tell resources and their ARNs apart.

A generated name looks as CloudFormation makes it, so that a pattern over names means what it will mean in an account:
<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-ref.html>.
ARNs follow the Service Authorization Reference. An attribute without a known form is a text that equals only itself.
"""

from hashlib import sha256
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from infra.assurance.model.resource import Resource

# The rest of each ARN behind `arn:{partition}:`. {name} is the physical name, {id} one that AWS makes up.
ARNS: Final = {
    "AWS::ApiGateway::RestApi": "apigateway:{region}::/restapis/{id}",
    "AWS::Backup::BackupPlan": "backup:{region}:{account}:backup-plan:{id}",
    "AWS::Backup::BackupVault": "backup:{region}:{account}:backup-vault:{name}",
    "AWS::CertificateManager::Certificate": "acm:{region}:{account}:certificate/{id}",
    "AWS::CloudTrail::Trail": "cloudtrail:{region}:{account}:trail/{name}",
    "AWS::CloudWatch::Alarm": "cloudwatch:{region}:{account}:alarm:{name}",
    "AWS::CodeBuild::Project": "codebuild:{region}:{account}:project/{name}",
    "AWS::CodePipeline::Pipeline": "codepipeline:{region}:{account}:{name}",
    "AWS::DynamoDB::GlobalTable": "dynamodb:{region}:{account}:table/{name}",
    "AWS::DynamoDB::Table": "dynamodb:{region}:{account}:table/{name}",
    "AWS::EC2::Instance": "ec2:{region}:{account}:instance/{id}",
    "AWS::EC2::SecurityGroup": "ec2:{region}:{account}:security-group/{id}",
    "AWS::EC2::Subnet": "ec2:{region}:{account}:subnet/{id}",
    "AWS::EC2::VPC": "ec2:{region}:{account}:vpc/{id}",
    "AWS::EC2::VPCEndpoint": "ec2:{region}:{account}:vpc-endpoint/{id}",
    "AWS::ECR::Repository": "ecr:{region}:{account}:repository/{name}",
    "AWS::ECS::Cluster": "ecs:{region}:{account}:cluster/{name}",
    "AWS::ECS::Service": "ecs:{region}:{account}:service/{cluster}/{name}",
    "AWS::ECS::TaskDefinition": "ecs:{region}:{account}:task-definition/{name}:1",
    "AWS::EFS::AccessPoint": "elasticfilesystem:{region}:{account}:access-point/{id}",
    "AWS::EFS::FileSystem": "elasticfilesystem:{region}:{account}:file-system/{id}",
    "AWS::ElasticLoadBalancingV2::Listener": "elasticloadbalancing:{region}:{account}:listener/app/{id}/{id}/{id}",
    "AWS::ElasticLoadBalancingV2::LoadBalancer": "elasticloadbalancing:{region}:{account}:loadbalancer/app/{name}/{id}",
    "AWS::ElasticLoadBalancingV2::TargetGroup": "elasticloadbalancing:{region}:{account}:targetgroup/{name}/{id}",
    "AWS::Events::EventBus": "events:{region}:{account}:event-bus/{name}",
    "AWS::Events::Rule": "events:{region}:{account}:rule/{name}",
    "AWS::IAM::Group": "iam::{account}:group{path}{name}",
    "AWS::IAM::InstanceProfile": "iam::{account}:instance-profile{path}{name}",
    "AWS::IAM::ManagedPolicy": "iam::{account}:policy{path}{name}",
    "AWS::IAM::OIDCProvider": "iam::{account}:oidc-provider/{name}",
    "AWS::IAM::Role": "iam::{account}:role{path}{name}",
    "AWS::IAM::User": "iam::{account}:user{path}{name}",
    "AWS::KMS::Alias": "kms:{region}:{account}:{name}",
    "AWS::KMS::Key": "kms:{region}:{account}:key/{id}",
    "AWS::KMS::ReplicaKey": "kms:{region}:{account}:key/{id}",
    "AWS::Kinesis::Stream": "kinesis:{region}:{account}:stream/{name}",
    "AWS::Lambda::Function": "lambda:{region}:{account}:function:{name}",
    "AWS::Lambda::LayerVersion": "lambda:{region}:{account}:layer:{name}:1",
    "AWS::Lambda::Version": "lambda:{region}:{account}:function:{name}",
    "AWS::Logs::LogGroup": "logs:{region}:{account}:log-group:{name}:*",
    "AWS::OpenSearchServerless::Collection": "aoss:{region}:{account}:collection/{id}",
    "AWS::OpenSearchService::Domain": "es:{region}:{account}:domain/{name}",
    "AWS::Elasticsearch::Domain": "es:{region}:{account}:domain/{name}",
    "AWS::RDS::DBCluster": "rds:{region}:{account}:cluster:{name}",
    "AWS::RDS::DBInstance": "rds:{region}:{account}:db:{name}",
    "AWS::RDS::DBProxy": "rds:{region}:{account}:db-proxy:{id}",
    "AWS::S3::AccessPoint": "s3:{region}:{account}:accesspoint/{name}",
    "AWS::S3::Bucket": "s3:::{name}",
    "AWS::SNS::Topic": "sns:{region}:{account}:{name}",
    "AWS::SQS::Queue": "sqs:{region}:{account}:{name}",
    "AWS::SSM::Parameter": "ssm:{region}:{account}:parameter/{name}",
    "AWS::Scheduler::Schedule": "scheduler:{region}:{account}:schedule/default/{name}",
    "AWS::Scheduler::ScheduleGroup": "scheduler:{region}:{account}:schedule-group/{name}",
    "AWS::SecretsManager::Secret": "secretsmanager:{region}:{account}:secret:{name}-{suffix}",
    "AWS::StepFunctions::StateMachine": "states:{region}:{account}:stateMachine:{name}",
    "AWS::VpcLattice::Service": "vpc-lattice:{region}:{account}:service/{id}",
    "AWS::VpcLattice::ServiceNetwork": "vpc-lattice:{region}:{account}:servicenetwork/{id}",
    "AWS::VpcLattice::TargetGroup": "vpc-lattice:{region}:{account}:targetgroup/{id}",
    "AWS::WAFv2::WebACL": "wafv2:{region}:{account}:{scope}/webacl/{name}/{id}",
}
"""Of every type whose `Ref` or `Arn` a policy may name."""

_REF_IS_ARN: Final = frozenset(
    {
        "AWS::CertificateManager::Certificate",
        "AWS::CloudFormation::Stack",
        "AWS::ECS::Service",
        "AWS::ECS::TaskDefinition",
        "AWS::ElasticLoadBalancingV2::Listener",
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::OIDCProvider",
        "AWS::Lambda::LayerVersion",
        "AWS::Lambda::Version",
        "AWS::SNS::Topic",
        "AWS::SecretsManager::Secret",
        "AWS::StepFunctions::StateMachine",
        "AWS::VpcLattice::Service",
        "AWS::VpcLattice::ServiceNetwork",
        "AWS::VpcLattice::TargetGroup",
    }
)
# `Ref` of these is the resource they stand for.
_STANDS_FOR: Final = {
    "AWS::SecretsManager::SecretTargetAttachment": "SecretId",
    "AWS::SecretsManager::RotationSchedule": "SecretId",
    "AWS::SecretsManager::ResourcePolicy": "SecretId",
    "AWS::S3::BucketPolicy": "Bucket",
}
# Attributes that are the resource's `Ref` under another name.
_REF_ATTRIBUTES: Final = frozenset({
    "AccessPointId", "AliasName", "BackupPlanId", "BackupVaultName", "FileSystemId", "GroupId", "Id", "InstanceId",
    "KeyId", "Name", "QueueName", "RoleName", "SubnetId", "TopicName", "UserName", "VpcId",
})  # fmt: skip
# Attributes that are the resource's ARN under another name.
_ARN_ATTRIBUTES: Final = frozenset({
    "Arn", "BackupPlanArn", "BackupVaultArn", "ClusterArn", "DBClusterArn", "DBInstanceArn", "DBProxyArn", "DomainArn",
    "FunctionArn", "JobDefinitionArn", "KeyArn", "ListenerArn", "LoadBalancerArn", "PolicyArn", "RoleArn",
    "ScheduleGroupArn", "ServiceArn", "StateMachineArn", "StreamArn", "TableArn", "TargetGroupArn", "TopicArn",
    "TrailArn",
})  # fmt: skip
# Attributes that say again what a property says.
_PROPERTY_ATTRIBUTES: Final = {
    ("AWS::EC2::SecurityGroup", "VpcId"): "VpcId",
    ("AWS::EC2::Subnet", "AvailabilityZone"): "AvailabilityZone",
    ("AWS::EC2::Subnet", "CidrBlock"): "CidrBlock",
    ("AWS::EC2::VPC", "CidrBlock"): "CidrBlock",
    ("AWS::RDS::DBCluster", "Endpoint.Port"): "Port",
    ("AWS::RDS::DBInstance", "Endpoint.Port"): "Port",
}
_ROOT_PATH: Final = "/"


def digest(resource: "Resource", length: int) -> str:
    """As many lower-case hexadecimal characters as are wanted, this resource's own and always the same."""
    stack = resource.stack
    own = f"{stack.account}/{stack.region}/{stack.name}/{resource.logical_id}"
    return sha256(own.encode()).hexdigest()[:length]


def is_custom(resource: "Resource") -> bool:
    """Whether a program of the application's own decides what the resource's attributes are."""
    return resource.type.startswith("Custom::") or resource.type == "AWS::CloudFormation::CustomResource"


def physical_name(resource: "Resource") -> str:
    """The name in the account: the one in the properties, or one as CloudFormation would make it up."""
    kind = resource.type.rpartition("::")[2]
    if not resource.type.startswith("AWS::EC2::"):
        for key in (f"{kind}Name", f"{kind}Identifier", "Name", "Family"):
            if isinstance(name := resource.value(key), str):
                return name.removeprefix("/") if resource.type == "AWS::SSM::Parameter" else name
    if resource.type == "AWS::SecretsManager::Secret":
        return f"{resource.logical_id}-{digest(resource, 12)}"
    name = f"{resource.stack.name}-{resource.logical_id}-{digest(resource, 12)}"
    return name.lower() if resource.type in {"AWS::S3::Bucket", "AWS::RDS::DBCluster", "AWS::RDS::DBInstance"} else name


def arn(resource: "Resource") -> str:
    """Its ARN; of a type without a known form, a text in the form of one that equals only itself."""
    stack = resource.stack
    _, service, kind = (*resource.type.split("::"), "")[:3]
    rest = ARNS.get(resource.type, f"{service.lower()}:{{region}}:{{account}}:{kind.lower()}/{{id}}")
    fields = {"region": stack.region, "account": stack.account, "id": _generated_id(resource)}
    if "{name}" in rest:
        fields["name"] = physical_name(resource)
    if "{path}" in rest:
        fields["path"] = resource.value("Path") or _ROOT_PATH
    if "{scope}" in rest:
        fields["scope"] = str(resource.value("Scope")).lower()
    if "{suffix}" in rest:
        fields["suffix"] = digest(resource, 6)
    if "{cluster}" in rest:
        fields["cluster"] = str(resource.value("Cluster") or "default").rpartition("/")[2]
    return f"arn:{stack.partition}:{rest.format(**fields)}"


def ref(resource: "Resource") -> str:
    """What `Ref` gives."""
    if target := _STANDS_FOR.get(resource.type):
        return str(resource.value(target))
    if resource.type in _REF_IS_ARN:
        return arn(resource)
    if is_custom(resource):
        return unknown(f"Ref of {resource.name}")
    if "{name}" in ARNS.get(resource.type, "") or _has_own_name(resource):
        return physical_name(resource)
    return _generated_id(resource)


def attribute(resource: "Resource", name: str) -> object:
    """What `Fn::GetAtt` gives."""
    if is_custom(resource):
        return unknown(f"{name} of {resource.name}")
    if known := _PROPERTY_ATTRIBUTES.get((resource.type, name)):
        return resource.value(known)
    if name in _ARN_ATTRIBUTES:
        return arn(resource)
    if name in _REF_ATTRIBUTES:
        return ref(resource) if resource.type not in _REF_IS_ARN else _own_name(resource)
    if name == "MasterUserSecret.SecretArn":
        return managed_secret_arn(resource)
    return f"{name}.{_generated_id(resource)}"


def managed_secret_arn(database: "Resource") -> str:
    """ARN of the secret that RDS makes and keeps for a database whose master password it manages.

    <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-secrets-manager.html>
    """
    stack, kind = database.stack, "cluster" if database.type.endswith("Cluster") else "db"
    generated = digest(database, 32)
    uuid = "-".join((generated[:8], generated[8:12], generated[12:16], generated[16:20], generated[20:]))
    name = f"rds!{kind}-{uuid}-{digest(database, 6)}"
    return f"arn:{stack.partition}:secretsmanager:{stack.region}:{stack.account}:secret:{name}"


def unknown(what: str) -> str:
    """A value that only a deployment knows. Whoever needs its meaning must refuse it: `is_unknown` tells."""
    return f"⟪{what}⟫"


def is_unknown(value: object) -> bool:
    """Whether a resolved text has a part that no file tells: a custom resource's answer, or a dynamic reference."""
    return isinstance(value, str) and ("⟪" in value or "{{resolve:" in value)


def _own_name(resource: "Resource") -> str:
    """The last part of the ARN, for types whose `Ref` is the whole of it."""
    return physical_name(resource) if "{name}" in ARNS.get(resource.type, "") else _generated_id(resource)


def _has_own_name(resource: "Resource") -> bool:
    kind = resource.type.rpartition("::")[2]
    return not resource.type.startswith("AWS::EC2::") and isinstance(resource.value(f"{kind}Name"), str)


def _generated_id(resource: "Resource") -> str:
    return f"{resource.stack.name}-{resource.logical_id}-{digest(resource, 17)}"
