"""What signs images as they are pushed, as a stack: docs/decisions/0027-*.md."""

import aws_cdk as cdk
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_signer as signer
from constructs import Construct

from infra.guards.accounts import GuardedAccount
from infra.guards.names import QUALIFIER, SIGNING
from infra.guards.tags import APPLICATION

VALID_MONTHS = 135
"""How long a signature counts, which is AWS Signer's default. An image that does not change is pushed once, and so is
signed once; what is not to count any longer is revoked."""


class SigningStack(cdk.Stack):
    """Has Amazon ECR sign what is pushed into the repository that ``cdk bootstrap`` makes in a region.

    ECR signs as whoever pushes (ECR guide, "Managed signing"): the role that publishes images, which belongs to the
    bootstrap, also where the pipeline pushes from its own account. So a person deploys this after the bootstrap, with
    their own rights as they do the guards, and no deployment can change it.
    """

    def __init__(self, scope: Construct, *, account: GuardedAccount, region: str) -> None:
        super().__init__(
            scope,
            account.signing_stacks[region],
            stack_name=SIGNING,
            env=cdk.Environment(account=account.id, region=region),
            synthesizer=cdk.LegacyStackSynthesizer(),
            termination_protection=True,
            description="Sanctum: what signs images as they are pushed",
        )
        cdk.Tags.of(self).add("application", APPLICATION)
        place = f"{account.id}-{region}"
        profile = signer.CfnSigningProfile(
            self,
            "Profile",
            platform_id="Notation-OCI-SHA384-ECDSA",
            signature_validity_period=signer.CfnSigningProfile.SignatureValidityPeriodProperty(
                type="MONTHS", value=VALID_MONTHS
            ),
        )
        may_sign = iam.CfnRolePolicy(
            self,
            "MaySign",
            role_name=f"cdk-{QUALIFIER}-image-publishing-role-{place}",
            policy_name=SIGNING,
            policy_document={
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": "signer:SignPayload", "Resource": profile.attr_arn}],
            },
        )
        rule = ecr.CfnSigningConfiguration.RuleProperty(
            signing_profile_arn=profile.attr_arn,
            repository_filters=[
                ecr.CfnSigningConfiguration.RepositoryFilterProperty(
                    filter=f"cdk-{QUALIFIER}-container-assets-{place}", filter_type="WILDCARD_MATCH"
                )
            ],
        )
        # Not before: what is pushed in between would stay unsigned.
        ecr.CfnSigningConfiguration(self, "Configuration", rules=[rule]).add_resource_dependency(may_sign)
        cdk.CfnOutput(self, "ProfileArn", value=profile.attr_arn, description="Whom a verifier of images trusts")
