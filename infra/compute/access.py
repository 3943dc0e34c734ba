"""What a task's role may do: only what its process asks AWS for, on resources named one by one."""

from aws_cdk import aws_iam as iam

from infra import sealing
from infra.compute.rights import Grant, allow, use_key_of_secrets
from infra.compute.values import DATABASE_USER
from infra.data.stack import DataStack
from infra.model_access import INVOKE, model_resources
from infra.settings import Environment


class Access:
    """Statements for the roles of the tasks."""

    def __init__(self, environment: Environment, data: DataStack) -> None:
        self._environment, self._data = environment, data
        self._home = f"{environment.account.region}:{environment.account.id}"

    def of(self, service: str, task: str | None) -> tuple[Grant, ...]:
        """Everything that the role of a service, or of one of its one-off tasks, may do."""
        every: dict[tuple[str, str | None], tuple[Grant, ...]] = {
            ("backend", None): (
                self.sign_in_to_users,
                self.read_signing_keys,
                self.make_data_keys,
                self.unwrap_keys_of_messages,
                self.read_epoch_keys,
            ),
            ("backend", "migrate"): (self.read_admin_secret,),
            ("backend", "rotate_keys"): (self.rotate_signing_keys,),
            ("backend", "prepare_keys"): (
                self.sign_in_to_users,
                self.make_data_keys,
                self.unwrap_keys_of_messages,
                self.make_epoch_keys,
            ),
            ("backend", "roll_keys"): (
                self.sign_in_to_users,
                self.make_epoch_keys,
                self.destroy_epoch_keys,
                self.export_keys,
            ),
            ("ai_core", None): (self.use_memory, self.ask_model, self.unwrap_keys_of_memories),
            ("ai_core", "prepare_memory"): (self.use_memory,),
        }
        return every[service, task]

    def sign_in_to_users(self, role: iam.IRole) -> None:
        """Sign in to the user database as the backend's role in it."""
        user = f"arn:aws:rds-db:{self._home}:dbuser:{self._data.users.resource_id}/{DATABASE_USER}"
        allow(role, ["rds-db:connect"], [user])

    def read_admin_secret(self, role: iam.IRole) -> None:
        """Read the password of the user database's administrator."""
        allow(role, ["secretsmanager:GetSecretValue"], [self._data.users.admin_secret_arn])
        self._use_secrets_key(role, "kms:Decrypt")

    def read_signing_keys(self, role: iam.IRole) -> None:
        """Read the keys that tokens are signed with."""
        allow(role, ["secretsmanager:GetSecretValue"], [self._data.signing_keys_arn])
        self._use_secrets_key(role, "kms:Decrypt")

    def rotate_signing_keys(self, role: iam.IRole) -> None:
        """Read and replace them."""
        actions = ["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"]
        allow(role, actions, [self._data.signing_keys_arn])
        self._use_secrets_key(role, "kms:Decrypt", "kms:GenerateDataKey")

    def use_memory(self, role: iam.IRole) -> None:
        """Read and write what is remembered."""
        actions = [f"es:ESHttp{verb}" for verb in ("Delete", "Get", "Head", "Post", "Put")]
        allow(role, actions, [f"{self._data.memory.arn}/*"])

    def ask_model(self, role: iam.IRole) -> None:
        """Ask the language model in Amazon Bedrock; one outside is asked with a key of its own."""
        if self._environment.model.provider == "bedrock":
            allow(role, INVOKE, model_resources(self._environment))

    def make_data_keys(self, role: iam.IRole) -> None:
        """Have a person's data keys made, of both purposes, without seeing them."""
        self._use_words_key(role, "kms:GenerateDataKeyWithoutPlaintext", [sealing.MESSAGES, sealing.MEMORIES])

    def unwrap_keys_of_messages(self, role: iam.IRole) -> None:
        """Unwrap what people's messages are sealed with."""
        self._use_words_key(role, "kms:Decrypt", sealing.MESSAGES)

    def unwrap_keys_of_memories(self, role: iam.IRole) -> None:
        """Unwrap what is sealed of what is remembered."""
        self._use_words_key(role, "kms:Decrypt", sealing.MEMORIES)

    def read_epoch_keys(self, role: iam.IRole) -> None:
        """Read the keys that data keys are wrapped with once more."""
        allow(role, ["secretsmanager:GetSecretValue"], self._epochs[:1])
        self._use_secrets_key(role, "kms:Decrypt")

    def make_epoch_keys(self, role: iam.IRole) -> None:
        """Make such a key, have it copied to where backups are, and see that it is there.

        ``ReplicateSecretToRegions`` asks for the rights to the replica's key, too (AWS Secrets Manager API); that is
        known by its alias.
        """
        here, *there = self._epochs
        allow(
            role,
            ["secretsmanager:CreateSecret", "secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"],
            [here],
        )
        self._use_secrets_key(role, "kms:Decrypt", "kms:GenerateDataKey")
        if not there:
            return
        allow(role, ["secretsmanager:ReplicateSecretToRegions"], [here, *there])
        home, *copies = sealing.regions(self._environment)
        allow(
            role,
            ["kms:Encrypt", "kms:GenerateDataKey"],
            [f"arn:aws:kms:{region}:{self._environment.account.id}:key/*" for region in copies],
            {
                "StringEquals": {
                    "kms:ViaService": [f"secretsmanager.{region}.amazonaws.com" for region in (home, *copies)]
                },
                "ForAnyValue:StringEquals": {"kms:ResourceAliases": sealing.secrets_alias(self._environment)},
            },
        )

    def destroy_epoch_keys(self, role: iam.IRole) -> None:
        """Destroy such a key, replicas first."""
        allow(role, ["secretsmanager:DeleteSecret"], self._epochs)
        if self._epochs[1:]:
            allow(role, ["secretsmanager:RemoveRegionsFromReplication"], self._epochs)

    def export_keys(self, role: iam.IRole) -> None:
        """Write exports of people's wrapped keys, in several parts where they are large, and read them."""
        region = self._environment.account.region
        bucket = f"arn:aws:s3:::{sealing.exports_bucket(self._environment, region)}"
        allow(role, ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"], [f"{bucket}/*"])
        allow(role, ["s3:ListBucket"], [bucket])
        through = {
            "StringEquals": {"kms:ViaService": f"s3.{region}.amazonaws.com"},
            "StringLike": {f"{sealing.CONTEXT}aws:s3:arn": f"{bucket}/*"},
        }
        allow(role, ["kms:Decrypt", "kms:GenerateDataKey"], [self._data.secrets_key.key_arn], {**through})

    @property
    def _epochs(self) -> list[str]:
        """The epochs' secrets, in the environment's region and then where their replicas are."""
        return [f"{sealing.epoch_secrets(self._environment, r)}/*" for r in sealing.regions(self._environment)]

    def _use_words_key(self, role: iam.IRole, action: str, purpose: str | list[str]) -> None:
        context = {**sealing.APP, f"{sealing.CONTEXT}purpose": purpose}
        allow(role, [action], [self._data.words_key_arn], {"StringEquals": context})

    def _use_secrets_key(self, role: iam.IRole, *actions: str) -> None:
        use_key_of_secrets(role, self._data.secrets_key.key_arn, *actions)
