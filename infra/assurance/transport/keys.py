"""Which key seals a store, told apart by whose it is.

<https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#key-mgmt>
"""

from typing import Final, NamedTuple

from infra.assurance.model.assembly import Json
from infra.assurance.model.identity import is_unknown
from infra.assurance.model.model import Model
from infra.assurance.model.resource import Resource

NOT_ENCRYPTED: Final = "none"
OWN_KEY: Final = "AES-256, own key"
OUTSIDE_KEY: Final = "AES-256, key that is not in the assembly"
AWS_OWNED: Final = "AWS-owned key"
AWS_MANAGED: Final = "AWS-managed key"
OF_AWS: Final = "AWS-owned or AWS-managed key"
"""Encrypted without a key of one's own, where it makes no difference which of the two it is."""
NOT_ASKED: Final = "only as AWS does by itself"
"""The template does not ask for encryption, whatever AWS does then, and since when."""
AS_SOURCE: Final = "as the snapshot or the database that it is made from"

_KEYS: Final = ("AWS::KMS::Key", "AWS::KMS::ReplicaKey")
_ALIAS: Final = "AWS::KMS::Alias"
_OF_AWS: Final = "alias/aws/"


class Seal(NamedTuple):
    """How something is encrypted, and the name of the key: its construct path, its ARN, or "AWS" or "none"."""

    encryption: str
    key: str
    evidence: tuple[Resource, ...] = ()


def without_own_key(encryption: str) -> Seal:
    """Not encrypted, or with a key of AWS's."""
    named = "none" if encryption == NOT_ENCRYPTED else "-" if encryption == AS_SOURCE else "AWS"
    return Seal(encryption, named)


def seal(model: Model, resource: Resource, key: Json, *, unset: str) -> Seal:
    """How a store is encrypted with the key that a property names, by id, ARN or alias; `unset` if there is none.

    Raises:
        Refused: only a deployment knows which key it is.
    """
    if not key:
        return without_own_key(unset)
    if is_unknown(key):
        raise resource.refuse(f"is encrypted with the key {key}, which only a deployment knows")
    name = str(key)
    if _OF_AWS in name:
        return Seal(AWS_MANAGED, _OF_AWS + name.partition(_OF_AWS)[2])
    if found := _find(model, resource, name):
        return Seal(OWN_KEY, found.name, (found,))
    return Seal(OUTSIDE_KEY, name)


def _find(model: Model, resource: Resource, name: str) -> Resource | None:
    """The key resource; an alias by name is one of the store's own account and region."""
    stack = resource.stack
    if name.startswith("alias/"):
        name = f"arn:{stack.partition}:kms:{stack.region}:{stack.account}:{name}"
    if key := model.find(name, *_KEYS):
        return key
    alias = model.find(name, _ALIAS)
    return model.find(alias.value("TargetKeyId"), *_KEYS) if alias else None
