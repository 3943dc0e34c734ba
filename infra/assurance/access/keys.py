"""KMS keys: which one a property means, what AWS's own keys admit, and who may do what with each.

A key's policy comes first: <https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html>.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from infra.assurance.access.actors import Actor
from infra.assurance.access.desk import Desk, Question, sentence
from infra.assurance.access.guarded import Context, Doors, Guarded
from infra.assurance.access.policies.document import Document, Statement
from infra.assurance.access.policies.evaluate import Decision, ResourceKind
from infra.assurance.access.reading import reading
from infra.assurance.facts import Fact, Relation
from infra.assurance.model.model import Model
from infra.assurance.model.resource import Resource

TYPES: Final = {"AWS::KMS::Key": "KeyPolicy", "AWS::KMS::ReplicaKey": "KeyPolicy"}
DECRYPT: Final = "kms:Decrypt"
USES: Final = {
    "decrypt": (DECRYPT, "kms:ReEncryptFrom"),
    "encrypt": ("kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptTo"),
    # Who may make a grant may let anybody use the key: <https://docs.aws.amazon.com/kms/latest/developerguide/grants.html>.
    "grant": ("kms:CreateGrant",),
    "administer": ("kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:DisableKey", "kms:DeleteImportedKeyMaterial"),
}
"""What may be done with a key, and the actions of which any one does it."""

_VIA: Final = "kms:viaservice"
_FOR_AWS: Final = "kms:grantisforawsresource"


class Keys:
    """The keys of an assembly."""

    def __init__(self, model: Model) -> None:
        self._model = model
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

    def of(self, value: object, service: str, near: Resource) -> Guarded | None:
        """The key that a property means by id, ARN or alias; without a value, AWS's own key for the service.

        None for a key whose own policy was refused.
        """
        name = value if isinstance(value, str) else f"alias/aws/{service}"
        if "alias/aws/" in name:
            return self._of_aws(name.rpartition("/")[2], near)
        if alias := self._model.find(name, "AWS::KMS::Alias", near=near):
            name = str(alias.value("TargetKeyId"))
        if resource := self._model.find(name, *TYPES, near=near):
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
        aliases = [each for each in self._model.of_type("AWS::KMS::Alias") if self._means(each, key)]
        names = tuple(str(alias.value("AliasName")) for alias in aliases)
        return {"kms:ResourceAliases": names} if names else {}

    def _means(self, alias: Resource, key: Resource) -> bool:
        return self._model.find(alias.value("TargetKeyId"), *TYPES, near=alias) is key

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
    """Whether an actor may have something decrypted by a key, through a service, in an encryption context."""
    known = {_VIA: (via,), _FOR_AWS: (), **{f"kms:EncryptionContext:{name}": value for name, value in context.items()}}
    return desk.ask(actor, Question(DECRYPT, key, ResourceKind.KEY, context=known))


def uses(desk: Desk, keys: Keys) -> Iterator[Fact]:
    """Who may do what with the keys of the templates.

    What is admitted only through services says through which: "decrypt via secretsmanager.eu-west-1.amazonaws.com".
    """
    for key in keys.made:
        for use, actions in USES.items():
            everywhere: set[Actor] = set()
            for action in actions:
                yield from _used(desk, key, use, action, everywhere)


def _used(desk: Desk, key: Guarded, use: str, action: str, everywhere: set[Actor]) -> Iterator[Fact]:
    """Who uses a key by one action; who does so without a service between is added to `everywhere`."""
    for actor, decision in desk.answers(Question(action, key, ResourceKind.KEY), besides=everywhere).items():
        for suffix, why in _ways(desk, actor, key, action, decision):
            if not suffix:
                everywhere.add(actor)
            yield Fact(
                Relation.USES_KEY,
                (actor.name, key.name, use + suffix),
                evidence=(*actor.evidence, *key.evidence),
                path=(sentence(actor, action, key, why),),
            )


def _ways(desk: Desk, actor: Actor, key: Guarded, action: str, decision: Decision) -> Iterator[tuple[str, Decision]]:
    own, keys = actor.principal.about(action), key.policy.about(action) if key.policy else ()
    services = _services((*own, *keys))
    if not services:
        yield "", decision
        return
    by_itself = desk.ask(actor, Question(action, key, ResourceKind.KEY, context={_VIA: ()}))
    if by_itself.allowed:
        yield "", by_itself
        return
    found = False
    for service in services:
        through = desk.ask(actor, Question(action, key, ResourceKind.KEY, context={_VIA: (service,)}))
        if through.allowed:
            found = True
            yield f" via {service}", through
    if not found:
        yield " via some service", decision


def _services(statements: Iterable[Statement]) -> list[str]:
    """The services that conditions of statements speak of."""
    found = {
        value
        for statement in statements
        for condition in statement.conditions
        if condition.key == _VIA
        for value in condition.values
    }
    return sorted(found)


def _statement(principal: str, condition: dict[str, dict[str, str]]) -> dict[str, object]:
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "kms:*", "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": {**statement, "Condition": condition}}
