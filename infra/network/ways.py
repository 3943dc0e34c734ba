"""What the services need of AWS over the network, what may be asked for, and under which names it is found.

Interface endpoints are made of it, or DNS Firewall lets their names through a NAT gateway: one list for both.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import aws_ec2 as ec2

from infra import sealing
from infra.model_access import INVOKE, model_resources
from infra.settings import Environment

_Service = ec2.InterfaceVpcEndpointAwsService
Permission = tuple[Sequence[str], Sequence[str]]
"""Actions, and the ARNs they are allowed on."""


@dataclass(frozen=True, kw_only=True)
class Way:
    """A service of AWS that the tasks call."""

    name: str
    """Construct id of its endpoint."""
    service: ec2.InterfaceVpcEndpointAwsService
    host: str
    """The name that clients look up."""
    zones: Sequence[str]
    """Availability zones that get its endpoint: not every zone can (``describe-vpc-endpoint-services``)."""
    allowed: Sequence[Permission]
    """What goes through its endpoint."""


def ways_to_aws(environment: Environment) -> list[Way]:
    """What a task needs to start (images, logs), to read its secrets, and to ask a model in AWS.

    Amazon ECS guide, "Amazon ECR interface VPC endpoints" and "Secrets Manager"; without one of them a task ends with
    ``ResourceInitializationError``.
    """
    account, region = environment.account.id, environment.account.region
    network = environment.network
    zones = network.endpoint_zones or network.zones
    images = f"arn:aws:ecr:{region}:{account}:repository/cdk-*-container-assets-{account}-{region}"
    pull = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
    registry: Sequence[Permission] = ((("ecr:GetAuthorizationToken",), ("*",)), (pull, (images,)))
    groups = f"arn:aws:logs:{region}:{account}:log-group:/sanctum/{environment.name}/*"

    def way(
        name: str,
        service: ec2.InterfaceVpcEndpointAwsService,
        host: str,
        allowed: Sequence[Permission],
        zones: Sequence[str] = zones,
    ) -> Way:
        return Way(
            name=name, service=service, host=f"{host}.{region}.amazonaws.com", zones=tuple(zones), allowed=allowed
        )

    ways = [
        way("EcrApi", _Service.ECR, "api.ecr", registry),
        way("EcrDocker", _Service.ECR_DOCKER, f"{account}.dkr.ecr", registry),
        way("Logs", _Service.CLOUDWATCH_LOGS, "logs", ((("logs:CreateLogStream", "logs:PutLogEvents"), (groups,)),)),
        way("SecretsManager", _Service.SECRETS_MANAGER, "secretsmanager", _secrets(environment)),
        # For people's data keys. The key is made in a later stack, and has no name: the account's own are the least
        # that can be said.
        way(
            "Kms",
            _Service.KMS,
            "kms",
            ((("kms:Decrypt", "kms:GenerateDataKeyWithoutPlaintext"), (f"arn:aws:kms:{region}:{account}:key/*",)),),
        ),
    ]
    if environment.model.provider == "bedrock":
        model_zones = network.model_endpoint_zones or zones
        invoke: Sequence[Permission] = ((INVOKE, model_resources(environment)),)
        ways.append(way("Bedrock", _Service.BEDROCK_RUNTIME, "bedrock-runtime", invoke, model_zones))
    return ways


def layers_bucket(region: str) -> str:
    """The bucket of AWS from which image layers come (Amazon ECR guide, "Create the Amazon S3 gateway endpoint")."""
    return f"prod-{region}-starport-layer-bucket"


def names_in_aws(environment: Environment) -> list[str]:
    """Every name of AWS that a task looks up: the ``ways``, image layers, exports of keys, the stores, and the other
    services.

    No ``*.amazonaws.com``: that is also where everybody's load balancers and buckets are. Of the stores and of VPC
    Lattice nothing narrower than the region can be told before they exist.
    """
    region = environment.account.region
    buckets = (layers_bucket(region), sealing.exports_bucket(environment, region))
    return [
        *(way.host for way in ways_to_aws(environment)),
        *(f"{bucket}.s3.{where}amazonaws.com" for bucket in buckets for where in (f"{region}.", "")),
        f"*.{region}.rds.amazonaws.com",
        f"*.{region}.es.amazonaws.com",
        f"*.vpc-lattice-svcs.{region}.on.aws",
    ]


def _secrets(environment: Environment) -> Sequence[Permission]:
    """The signing keys, the keys of epochs, the administrator's password from RDS, and the key to an outside model."""
    secret = f"arn:aws:secretsmanager:{environment.account.region}:{environment.account.id}:secret:"
    # The Data stack's secret has no name of its own (a deleted one would keep it for a month): AWS makes it of the
    # logical id, with or without the stack's name before it.
    signing_keys, admin = f"{secret}*SigningKeys-*", f"{secret}rds!cluster-*"
    epochs = f"{sealing.epoch_secrets(environment, environment.account.region)}/*"
    outside = [environment.model.api_key_secret] if environment.model.api_key_secret else []
    return (
        (("secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"), (signing_keys, epochs, admin, *outside)),
        (("secretsmanager:PutSecretValue",), (signing_keys,)),
        (
            (
                "secretsmanager:CreateSecret",
                "secretsmanager:DeleteSecret",
                "secretsmanager:RemoveRegionsFromReplication",
                "secretsmanager:ReplicateSecretToRegions",
            ),
            (epochs,),
        ),
    )
