"""The guards of an account, as a stack."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.guards.accounts import GuardedAccount
from infra.guards.names import BOUNDARY, READER, STACK
from infra.guards.policies import boundary, execution, read_by, reading


class GuardsStack(cdk.Stack):
    """Deployed by a person, before ``cdk bootstrap`` and with their own rights: no deployment can change it.

    So it takes the oldest way of the library to deploy, which needs nothing in the account.
    """

    def __init__(self, scope: Construct, *, account: GuardedAccount) -> None:
        super().__init__(
            scope,
            account.stack,
            stack_name=STACK,
            env=cdk.Environment(account=account.id, region=account.region),
            synthesizer=cdk.LegacyStackSynthesizer(),
            termination_protection=True,
            description="Sanctum: how far roles can go, what a deployment may do, and who reads what is deployed",
        )
        for name, document in {BOUNDARY: boundary(account), **execution(account)}.items():
            iam.CfnManagedPolicy(self, name, managed_policy_name=name, policy_document=document)
        if account.readers:
            # Without the boundary, in which nothing of CloudFormation is: it has these rights and no others.
            iam.CfnRole(
                self,
                "Reader",
                role_name=READER,
                description="Sanctum: reads what is deployed, before the pipeline deploys",
                assume_role_policy_document=read_by(account),
                policies=[iam.CfnRole.PolicyProperty(policy_name="templates", policy_document=reading(account))],
            )
