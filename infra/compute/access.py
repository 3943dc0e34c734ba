"""What a task's role may do: only what its process asks AWS for, on resources named one by one."""

from collections.abc import Callable

from aws_cdk import aws_iam as iam

from infra.compute.values import DATABASE_USER
from infra.data.stack import DataStack
from infra.model_access import INVOKE, model_resources
from infra.settings import Environment

Grant = Callable[[iam.IRole], None]


class Access:
    """Statements for the roles of the tasks.

    They are written on the role alone: on the key or secret they would tie the Data stack to the Compute stack, which
    already needs the Data stack.
    """

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
        _allow(role, ["rds-db:connect"], [user])

    def read_admin_secret(self, role: iam.IRole) -> None:
        """Read the password of the user database's administrator."""
        _allow(role, ["secretsmanager:GetSecretValue"], [self._data.users.admin_secret_arn])
        self._use_secrets_key(role, "kms:Decrypt")

    def read_signing_keys(self, role: iam.IRole) -> None:
        """Read the keys that tokens are signed with."""
        _allow(role, ["secretsmanager:GetSecretValue"], [self._data.signing_keys_arn])
        self._use_secrets_key(role, "kms:Decrypt")

    def rotate_signing_keys(self, role: iam.IRole) -> None:
        """Read and replace them."""
        actions = ["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"]
        _allow(role, actions, [self._data.signing_keys_arn])
        self._use_secrets_key(role, "kms:Decrypt", "kms:GenerateDataKey")

    def use_memory(self, role: iam.IRole) -> None:
        """Read and write what is remembered."""
        actions = [f"es:ESHttp{verb}" for verb in ("Delete", "Get", "Head", "Post", "Put")]
        _allow(role, actions, [f"{self._data.memory.arn}/*"])

    def ask_model(self, role: iam.IRole) -> None:
        """Ask the language model."""
        _allow(role, list(INVOKE), model_resources(self._environment))

    def _use_secrets_key(self, role: iam.IRole, *actions: str) -> None:
        via = {"kms:ViaService": f"secretsmanager.{self._environment.account.region}.amazonaws.com"}
        _allow(role, list(actions), [self._data.secrets_key.key_arn], {"StringEquals": via})


def _allow(
    role: iam.IRole, actions: list[str], resources: list[str], conditions: dict[str, object] | None = None
) -> None:
    role.add_to_principal_policy(iam.PolicyStatement(actions=actions, resources=resources, conditions=conditions))
