"""The secret that holds what access tokens are signed with."""

from collections.abc import Sequence

from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.encryption import removal_policy
from infra.settings import Environment


class SigningKeys(secretsmanager.CfnSecret):
    """Read and rotated by named roles and nobody else, however much their own policies allow.

    Whoever has the keys can be everybody, so here the secret's own policy denies what IAM may allow too widely. It
    locks out no operator for good: who may change the policy can, and the trail shows it. ``UpdateSecret`` is left,
    because deployments need it. The secret of the database's administrator has no such policy: RDS manages it, and
    does not document by whom.

    Made of the plain resource: the library's own class would put a random text where the backend expects its keys.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: Environment, key: kms.Key, users: Sequence[str]
    ) -> None:
        """``users``: ARNs of the roles that may; they need not exist yet."""
        super().__init__(
            scope,
            construct_id,
            description="What access tokens are signed with, as a JWK set; written by backend.rotate_keys",
            kms_key_id=key.key_arn,
        )
        self.apply_removal_policy(removal_policy(environment))
        secretsmanager.CfnResourcePolicy(
            self,
            "Policy",
            secret_id=self.ref,
            block_public_policy=True,
            resource_policy={
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Deny",
                        "Principal": "*",
                        "Action": [
                            "secretsmanager:GetSecretValue",
                            "secretsmanager:PutSecretValue",
                            "secretsmanager:UpdateSecretVersionStage",
                        ],
                        "Resource": "*",
                        "Condition": {"ArnNotEquals": {"aws:PrincipalArn": list(users)}},
                    }
                ],
            },
        )
