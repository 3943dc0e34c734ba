"""The only ways from the services to AWS: endpoints in the VPC, each open for this account's own things alone."""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam

from infra import principals
from infra.model_access import INVOKE, model_resources
from infra.network.vpc import APPLICATION
from infra.settings import Environment

_Service = ec2.InterfaceVpcEndpointAwsService


@dataclass(frozen=True)
class _Way:
    """An interface endpoint, and what may be asked for through it."""

    service: ec2.InterfaceVpcEndpointAwsService
    allowed: Sequence[tuple[Sequence[str], Sequence[str]]]
    """Actions and the resources they are allowed on."""


def add_endpoints(vpc: ec2.Vpc, *, environment: Environment, security_group: ec2.ISecurityGroup) -> None:
    """Give ``vpc`` the endpoints that a task needs to start (images, logs), read secrets and ask the model."""
    account, region = environment.account.id, environment.account.region
    images = f"arn:aws:ecr:{region}:{account}:repository/cdk-*-container-assets-{account}-{region}"
    pull = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
    registry = ((("ecr:GetAuthorizationToken",), ("*",)), (pull, (images,)))
    ways = {
        "EcrApi": _Way(_Service.ECR, registry),
        "EcrDocker": _Way(_Service.ECR_DOCKER, registry),
        "Logs": _Way(
            _Service.CLOUDWATCH_LOGS,
            (
                (
                    ("logs:CreateLogStream", "logs:PutLogEvents"),
                    (f"arn:aws:logs:{region}:{account}:log-group:/sanctum/{environment.name}/*",),
                ),
            ),
        ),
        "SecretsManager": _Way(
            _Service.SECRETS_MANAGER,
            (
                (
                    ("secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"),
                    (f"arn:aws:secretsmanager:{region}:{account}:secret:*",),
                ),
            ),
        ),
        "Kms": _Way(
            _Service.KMS, ((("kms:Decrypt", "kms:GenerateDataKey"), (f"arn:aws:kms:{region}:{account}:key/*",)),)
        ),
        "Bedrock": _Way(_Service.BEDROCK_RUNTIME, ((INVOKE, model_resources(environment)),)),
    }
    model_zones = list(environment.network.model_endpoint_zones)
    for name, way in ways.items():
        endpoint = vpc.add_interface_endpoint(
            name,
            service=way.service,
            open=False,
            private_dns_enabled=True,
            security_groups=[security_group],
            subnets=ec2.SubnetSelection(subnet_group_name="application", availability_zones=model_zones)
            if name == "Bedrock" and model_zones
            else APPLICATION,
        )
        for actions, resources in way.allowed:
            endpoint.add_to_policy(_own_account(environment, actions, resources))
    layers = vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3, subnets=[APPLICATION])
    layers.add_to_policy(
        iam.PolicyStatement(  # the registry hands out addresses that it signed itself: no principal of this account
            principals=[principals.anyone()],
            actions=["s3:GetObject"],
            resources=[f"arn:aws:s3:::prod-{region}-starport-layer-bucket/*"],
        )
    )


def _own_account(environment: Environment, actions: Sequence[str], resources: Sequence[str]) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        principals=[principals.anyone()],
        actions=list(actions),
        resources=list(resources),
        conditions={"StringEquals": {"aws:PrincipalAccount": environment.account.id}},
    )
