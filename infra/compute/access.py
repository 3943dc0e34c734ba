"""What a task's role may do: only what its process asks AWS for, on resources named one by one."""

from aws_cdk import aws_iam as iam

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
            ("backend", None): (self.sign_in_to_users, self.read_signing_keys),
            ("backend", "migrate"): (self.read_admin_secret,),
            ("backend", "rotate_keys"): (self.rotate_signing_keys,),
            ("ai_core", None): (self.use_memory, self.ask_model),
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

    def _use_secrets_key(self, role: iam.IRole, *actions: str) -> None:
        use_key_of_secrets(role, self._data.secrets_key.key_arn, *actions)
