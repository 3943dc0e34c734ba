"""Whether the key to an outside model is where the settings say."""

from collections.abc import Iterator

from infra.preflight.answers import Answer, bad, good
from infra.preflight.check import Inquiry


def ask(inquiry: Inquiry) -> Iterator[Answer]:
    """The secret exists, is not about to be deleted, and is encrypted with the key that the task may use."""
    settings = inquiry.environment.model
    secret, key = settings.api_key_secret, settings.api_key_kms_key
    if secret is None or key is None:
        yield good("none: the model is inside AWS")
        return
    name = secret.rpartition(":")[2][:-7]
    found = inquiry.aws.find("ResourceNotFoundException", "secretsmanager", "describe_secret", SecretId=secret)
    if found is None:
        yield bad(
            f"{secret} does not exist",
            f"`aws secretsmanager create-secret --name {name} --kms-key-id {key} --secret-string file://…`, "
            "and write its ARN into model.api_key_secret",
        )
        return
    if "DeletedDate" in found:
        yield bad(f"{secret} is to be deleted", f"`aws secretsmanager restore-secret --secret-id {name}`")
        return
    used = inquiry.aws.ask("kms", "describe_key", KeyId=found.get("KmsKeyId", "alias/aws/secretsmanager"))[
        "KeyMetadata"
    ]
    if used["Arn"] != key:
        yield bad(
            f"{name} is encrypted with {used['Arn']}, and model.api_key_kms_key is {key}",
            f"`aws secretsmanager update-secret --secret-id {name} --kms-key-id {key}`",
        )
    elif used["KeyState"] != "Enabled":
        yield bad(f"{key} is {used['KeyState']}", f"`aws kms enable-key --key-id {key}`")
    else:
        yield good(f"{name} is there, and encrypted with the key in the settings")
