"""Whether the key that wraps people's data keys can have its replica where backups are copied to."""

from collections.abc import Iterator

from infra.preflight.answers import Answer, bad, good
from infra.preflight.check import Inquiry


def ask(inquiry: Inquiry) -> Iterator[Answer]:
    """``backup.words_key`` of the settings is the key's id, as soon as there is a key, and the key is in use."""
    environment = inquiry.environment
    alias = f"alias/{environment.resource_name('words')}"
    answer = inquiry.aws.find("NotFoundException", "kms", "describe_key", KeyId=alias)
    written, copied = environment.backup.words_key, environment.backup.copy_region
    if not answer:
        if written:
            yield bad(
                f"there is no {alias} yet, of which backup.words_key could be the id",
                "leave backup.words_key out; after the first deployment ask again and write it down",
            )
        else:
            yield good("the key of people's data keys is made by the first deployment")
        return
    key, state = answer["KeyMetadata"]["KeyId"], answer["KeyMetadata"]["KeyState"]
    if state != "Enabled":
        yield bad(
            f"{alias} is {state}: nothing that people said can be read",
            f"`aws kms cancel-key-deletion --key-id {key}` or `aws kms enable-key --key-id {key}`, and ask who did it",
        )
    elif copied and written != key:
        yield bad(
            f"{alias} has no replica in {copied}: nothing there can open the copies of backups",
            f'write backup.words_key = "{key}" and deploy again',
        )
    else:
        yield good(f"{alias} is in use{f', with its replica in {copied}' if copied else ''}")
