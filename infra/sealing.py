"""Names of what people's words are sealed with in the cloud, by which stacks and policies know it before it is there.

Imports no CDK.
"""

from infra.settings import Environment

MESSAGES, MEMORIES = "messages", "memories"
"""The purposes of a person's two data keys: part of the encryption context that each is wrapped in."""
CONTEXT = "kms:EncryptionContext:"
"""How condition keys of an encryption context begin; what follows is case-sensitive (AWS KMS guide,
"kms:EncryptionContext:context-key")."""
APP = {f"{CONTEXT}app": "sanctum"}
"""The part of the context that every data key of Sanctum has."""


def role(environment: Environment, *parts: str) -> str:
    """The ARN of the role that a service, or one of its one-off tasks, runs under."""
    return f"arn:aws:iam::{environment.account.id}:role/{environment.resource_name(*parts)}"


def unwrappers(environment: Environment) -> dict[str, list[str]]:
    """Which roles may unwrap the data keys of each purpose."""
    return {
        MESSAGES: [role(environment, "backend"), role(environment, "backend", "prepare_keys")],
        MEMORIES: [role(environment, "ai_core")],
    }


def makers(environment: Environment) -> list[str]:
    """Which roles may make data keys, of both purposes: those that make a person's account whole."""
    return unwrappers(environment)[MESSAGES]


def regions(environment: Environment) -> list[str]:
    """Where keys are kept: the environment's own region, and that of the copies where there are some."""
    copy = environment.backup.copy_region
    return [environment.account.region, *([copy] if copy else [])]


def epoch_secrets(environment: Environment, region: str) -> str:
    """The ARN of the epochs' secrets up to ``/<epoch>``; tasks make and delete them, no template does."""
    return f"arn:aws:secretsmanager:{region}:{environment.account.id}:secret:{environment.resource_name('epochs')}"


def secrets_alias(environment: Environment) -> str:
    """The name of the key of secrets, the same in every one of the ``regions``."""
    return f"alias/{environment.resource_name('secrets')}"


def secrets_alias_arn(environment: Environment, region: str) -> str:
    """The ARN of that name in ``region``."""
    return f"arn:aws:kms:{region}:{environment.account.id}:{secrets_alias(environment)}"


def exports_bucket(environment: Environment, region: str) -> str:
    """The bucket of the exports of keys in ``region``; names of buckets are the whole world's."""
    return f"{environment.resource_name('key_exports')}-{environment.account.id}-{region}"
