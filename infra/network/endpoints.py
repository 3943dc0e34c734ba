"""The only ways from the services to AWS: endpoints in the VPC, each open for this account's own things alone."""

from collections.abc import Iterable, Sequence

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam

from infra import principals
from infra.network.vpc import APPLICATION
from infra.network.ways import Way


def add_interface_endpoints(
    vpc: ec2.Vpc, *, ways: Iterable[Way], account: str, security_group: ec2.ISecurityGroup
) -> None:
    """An interface endpoint in ``vpc`` for each of ``ways``, for principals of ``account`` and what ``ways`` name.

    They answer to the public names of their services (private DNS), so that clients need no setting.
    """
    for way in ways:
        endpoint = vpc.add_interface_endpoint(
            way.name,
            service=way.service,
            open=False,
            private_dns_enabled=True,
            security_groups=[security_group],
            subnets=ec2.SubnetSelection(
                subnet_group_name=APPLICATION.subnet_group_name, availability_zones=list(way.zones)
            ),
        )
        for actions, resources in way.allowed:
            endpoint.add_to_policy(_own_account(account, actions, resources))


def add_buckets_endpoint(vpc: ec2.Vpc, *, layers: str, exports: str, account: str) -> None:
    """The gateway endpoint of S3, free of charge, by which ``vpc`` reads the bucket ``layers``, principals of
    ``account`` write and read in ``exports``, and nobody reaches another in the region.

    Its routes are those of the application subnets (Amazon ECR guide, "Create the Amazon S3 gateway endpoint").
    """
    endpoint = vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3, subnets=[APPLICATION])
    endpoint.add_to_policy(
        iam.PolicyStatement(  # the registry hands out addresses that it signed itself: no principal of this account
            principals=[principals.anyone()], actions=["s3:GetObject"], resources=[f"arn:aws:s3:::{layers}/*"]
        )
    )
    bucket = f"arn:aws:s3:::{exports}"
    objects = ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"]
    endpoint.add_to_policy(_own_account(account, objects, [f"{bucket}/*"]))
    endpoint.add_to_policy(_own_account(account, ["s3:ListBucket"], [bucket]))


def _own_account(account: str, actions: Sequence[str], resources: Sequence[str]) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        principals=[principals.anyone()],
        actions=list(actions),
        resources=list(resources),
        conditions={"StringEquals": {"aws:PrincipalAccount": account}},
    )
