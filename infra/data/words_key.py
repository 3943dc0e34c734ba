"""The KMS key that wraps people's data keys, and its replica where backups are copied to."""

from collections.abc import Mapping

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra import principals, sealing
from infra.encryption import ADMINISTER, removal_policy
from infra.settings import Environment

PURPOSE = "words"
NEVER = (
    "kms:CreateGrant",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyPair",
    "kms:GenerateDataKeyPairWithoutPlaintext",
    "kms:ReEncrypt*",
)
"""What nobody does with it. A grant would lend the key to anybody; ``ReEncrypt`` would carry a data key under a key
that others may use; the rest would show a data key to whoever makes it, or wrap one of their own."""


class WordsKey(kms.Key):
    """Makes people's data keys, and unwraps each for the one service that it is for.

    A multi-Region key always, at the price of any other: it cannot become one later, and where backups are copied to
    another region, words there are as good as lost without a replica (AWS KMS guide, "Multi-Region keys").
    """

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment) -> None:
        super().__init__(
            scope,
            construct_id,
            alias=environment.resource_name(PURPOSE),
            description=_description(environment),
            enable_key_rotation=True,
            multi_region=True,
            policy=policy(environment),
            removal_policy=removal_policy(environment),
        )


class WordsReplica(kms.CfnReplicaKey):
    """The same key in another region, for restoring there what is lost here; until then nobody uses it.

    It has the same policy, because KMS replicates none, and is replaced each year with the first.
    """

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment, key_id: str) -> None:
        """``key_id``: the key's, which is the same in every region."""
        account = environment.account
        super().__init__(
            scope,
            construct_id,
            primary_key_arn=f"arn:aws:kms:{account.region}:{account.id}:key/{key_id}",
            description=_description(environment),
            key_policy=policy(environment),
        )
        self.apply_removal_policy(removal_policy(environment))
        kms.CfnAlias(
            scope,
            f"{construct_id}Alias",
            alias_name=f"alias/{environment.resource_name(PURPOSE)}",
            target_key_id=self.attr_key_id,
        )


def policy(environment: Environment) -> iam.PolicyDocument:
    """Who may do what with it, however much their own policies allow.

    Told apart by role and by the purpose in the encryption context, which KMS holds against what the data key was
    wrapped with. Everything else is denied, so that neither a policy written too widely nor a grant opens anything (an
    explicit denial goes before both: AWS KMS guide, "Troubleshooting key access"). It locks out no operator for good:
    who may change the policy can, and the trail shows it. Roles are named by conditions, since one that does not exist
    yet is refused as a principal.
    """
    readers, makers = sealing.unwrappers(environment), sealing.makers(environment)
    purpose = f"{sealing.CONTEXT}purpose"
    made = {"StringEquals": {**sealing.APP, purpose: list(readers)}}
    own = [principals.account(environment.account.id)]

    def allow(action: str, roles: list[str], context: Mapping[str, object]) -> iam.PolicyStatement:
        named: dict[str, object] = {"ArnEquals": {"aws:PrincipalArn": roles}}
        return iam.PolicyStatement(principals=own, actions=[action], resources=["*"], conditions={**named, **context})

    def deny(*actions: str, unless: dict[str, object]) -> iam.PolicyStatement:
        return iam.PolicyStatement(
            effect=iam.Effect.DENY,
            principals=[principals.anyone()],
            actions=list(actions),
            resources=["*"],
            conditions=unless or None,
        )

    return iam.PolicyDocument(
        statements=[
            iam.PolicyStatement(principals=own, actions=[*ADMINISTER, "kms:ReplicateKey"], resources=["*"]),
            allow("kms:GenerateDataKeyWithoutPlaintext", makers, made),
            *(
                allow("kms:Decrypt", roles, {"StringEquals": {**sealing.APP, purpose: name}})
                for name, roles in readers.items()
            ),
            deny(*NEVER, unless={}),
            deny("kms:GenerateDataKeyWithoutPlaintext", unless={"ArnNotEquals": {"aws:PrincipalArn": makers}}),
            *(
                deny(
                    "kms:Decrypt",
                    unless={"StringEquals": {purpose: name}, "ArnNotEquals": {"aws:PrincipalArn": roles}},
                )
                for name, roles in readers.items()
            ),
            # Holds of a request without a purpose, too.
            deny("kms:Decrypt", unless={"StringNotEquals": {purpose: list(readers)}}),
        ]
    )


def _description(environment: Environment) -> str:
    return f"Sanctum {environment.name}: {PURPOSE}"
