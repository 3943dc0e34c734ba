"""KMS keys: which one a property means, what AWS's own keys admit, and whom they open something for.

A key's policy comes first: <https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html>.
"""

from typing import Final

from infra.assurance.access.actors import Actor
from infra.assurance.access.contexts import NAMES, PAIR
from infra.assurance.access.desk import Desk, Question
from infra.assurance.access.guarded import Context, Doors, Guarded
from infra.assurance.access.policies.document import Document
from infra.assurance.access.policies.evaluate import Decision, ResourceKind
from infra.assurance.access.reading import reading
from infra.assurance.model.identity import unknown
from infra.assurance.model.model import Model
from infra.assurance.model.resource import Resource

TYPES: Final = {"AWS::KMS::Key": "KeyPolicy", "AWS::KMS::ReplicaKey": "KeyPolicy"}
DECRYPT: Final = "kms:Decrypt"
VIA: Final = "kms:viaservice"
# <https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html>,
# <https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html>; whoever stores an object in S3
# may add pairs of their own.
_WRITTEN_BY: Final = {"secretsmanager": ("SecretARN", "SecretVersionId"), "ssm": ("PARAMETER_ARN",)}
_FOR_AWS: Final = "kms:grantisforawsresource"


class Keys:
    """The keys of an assembly."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._doors = Doors(model, TYPES)
        self._made: dict[Resource, Guarded] = {}
        self._other: dict[str, Guarded] = {}
        for resource in model.of_type(*TYPES):
            with reading(model, resource):
                self._made[resource] = self._read(resource)

    @property
    def made(self) -> list[Guarded]:
        """Those that templates make."""
        return list(self._made.values())

    def kind(self, key: Guarded) -> tuple[str, str]:
        """What a key is for, and of which kind: its `KeyUsage` and `KeySpec`. A replica is what its original is.

        Unknown of a replica whose original is in no template.
        """
        made = key.resource
        if "PrimaryKeyArn" in made.properties:
            original = self.model.find(made.value("PrimaryKeyArn"), "AWS::KMS::Key")
            if original is None:
                return unknown("usage"), unknown("spec")
            made = original
        return str(made.value("KeyUsage") or "ENCRYPT_DECRYPT"), str(made.value("KeySpec") or "SYMMETRIC_DEFAULT")

    def of(self, value: object, service: str, near: Resource) -> Guarded | None:
        """The key that a property means by id, ARN or alias; without a value, AWS's own key for the service.

        None for a key whose own policy was refused.
        """
        name = value if isinstance(value, str) else f"alias/aws/{service}"
        if "alias/aws/" in name:
            return self._of_aws(name.rpartition("/")[2], near)
        if alias := self.model.find(name, "AWS::KMS::Alias", near=near):
            name = str(alias.value("TargetKeyId"))
        if resource := self.model.find(name, *TYPES, near=near):
            return self._made.get(resource)
        stack = near.stack
        arn = (
            name if name.startswith("arn:") else f"arn:{stack.partition}:kms:{stack.region}:{stack.account}:key/{name}"
        )
        if arn not in self._other:
            self._other[arn] = self._doors.named("key", arn, near)
        return self._other[arn]

    def _read(self, resource: Resource) -> Guarded:
        stack = resource.stack
        # <https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html>
        by_default = Document.parse(
            _statement(f"arn:{stack.partition}:iam::{stack.account}:root", {}), f"the default policy of {resource.name}"
        )
        return self._doors.of(resource, policy=by_default, context=self._aliases(resource))

    def _aliases(self, key: Resource) -> Context:
        aliases = [each for each in self.model.of_type("AWS::KMS::Alias") if self._means(each, key)]
        names = tuple(str(alias.value("AliasName")) for alias in aliases)
        return {"kms:ResourceAliases": names} if names else {}

    def _means(self, alias: Resource, key: Resource) -> bool:
        return self.model.find(alias.value("TargetKeyId"), *TYPES, near=alias) is key

    def _of_aws(self, service: str, near: Resource) -> Guarded:
        """AWS's key for a service: whoever in its account may use the service may use it, and nobody else.

        <https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#aws-managed-cmk>
        """
        stack = near.stack
        arn = f"arn:{stack.partition}:kms:{stack.region}:{stack.account}:key/aws-{service}"
        if arn not in self._other:
            condition = {"StringEquals": {"kms:CallerAccount": stack.account}}
            policy = Document.parse(_statement("*", condition), f"AWS's key for {service}")
            name = f"key aws/{service} of {stack.account}"
            self._other[arn] = Guarded(name, arn, stack.account, stack.region, policy, (near,))
        return self._other[arn]


def opens(desk: Desk, actor: Actor, key: Guarded, via: str, context: Context) -> Decision:
    """Whether an actor may have something decrypted by a key, through a service, in an encryption context.

    `context` is what is known of it. Where the service alone writes it, no other keys are in it.
    """
    known = {VIA: (via,), _FOR_AWS: (), **{f"{PAIR}{name}": value for name, value in context.items()}}
    if written := _WRITTEN_BY.get(via.partition(".")[0]):
        own = {f"{PAIR}{name.lower()}" for name in written}
        policy = key.policy.about(DECRYPT) if key.policy else ()
        asked = (each.key for statement in (*actor.principal.about(DECRYPT), *policy) for each in statement.conditions)
        known |= {name: () for name in asked if name.startswith(PAIR) and name not in own}
        known[NAMES] = written
    return desk.ask(actor, Question(DECRYPT, key, ResourceKind.KEY, context=known))


def _statement(principal: str, condition: dict[str, dict[str, str]]) -> dict[str, object]:
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "kms:*", "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": {**statement, "Condition": condition}}
