"""What is guarded: something with an ARN, and the policy that stands at its own door."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias, cast

from infra.assurance.access.policies.document import Document
from infra.assurance.access.reading import document, listed, merged, reading
from infra.assurance.model.assembly import Json
from infra.assurance.model.model import Model
from infra.assurance.model.resource import Resource

Context: TypeAlias = Mapping[str, tuple[str, ...]]
"""What is known of a request: values by condition key; none at all for a key that it certainly lacks."""

NOTHING_KNOWN: Final[Context] = {}

_REGION, _ACCOUNT, _PARTS = 3, 4, 6


class Guarded(NamedTuple):
    """One thing that policies guard.

    `policy` is its resource policy, None where it has none. `known` is False for what no template of the assembly
    makes: then its policy is not known either. `evidence` are the resources that make it what it is.
    """

    name: str
    arn: str
    account: str
    region: str
    policy: Document | None = None
    evidence: tuple[Resource, ...] = ()
    known: bool = True
    context: Context = NOTHING_KNOWN

    @property
    def resource(self) -> Resource:
        """The resource that makes it, or names it."""
        return self.evidence[0]


class Attached(NamedTuple):
    """A type that attaches a policy to something else, and its properties for what, and for the policy's text."""

    type: str
    target: str
    text: str


class Doors:
    """Things of some types, with the resource policies that a property of theirs or another resource gives them."""

    def __init__(self, model: Model, types: Mapping[str, str], attached: Sequence[Attached] = ()) -> None:
        """`types` with the property of each that holds its resource policy, "" for none."""
        self._model = model
        self._types = types
        self._policies: dict[Resource | str, list[tuple[Resource, Document]]] = {}
        for kind in attached:
            for policy in model.of_type(kind.type):
                with reading(model, policy):
                    self._attach(policy, kind)

    def known(self) -> list[Guarded]:
        """Each that a template makes."""
        found: list[Guarded] = []
        for resource in self._model.of_type(*self._types):
            with reading(self._model, resource):
                found.append(self.of(resource))
        return found

    def of(
        self,
        resource: Resource,
        *,
        name: str = "",
        arn: str = "",
        policy: Document | None = None,
        context: Context | None = None,
    ) -> Guarded:
        """One that a template makes. `policy` is the one that AWS gives it unasked, `context` what else is known.

        Raises:
            Refused: its policy is not understood.
        """
        own = list(self._policies.get(resource, ()))
        key = self._types.get(resource.type)
        if key and (text := resource.value(key)):
            own.append((resource, _of_door(text, resource)))
        return Guarded(
            name=name or resource.name,
            arn=arn or resource.arn,
            account=resource.stack.account,
            region=resource.stack.region,
            policy=merged([text for _, text in own]) or policy,
            evidence=(resource, *(carrier for carrier, _ in own if carrier is not resource)),
            context={
                **tags(resource, "aws:ResourceTag", f"{resource.arn.split(':')[2]}:ResourceTag"),
                **(context or {}),
            },
        )

    def named(self, kind: str, arn: str, evidence: Resource) -> Guarded:
        """One that only its ARN tells of, as `evidence` says it, with a policy if a template attaches one."""
        parts = (*arn.split(":"), *("",) * _PARTS)
        own = self._policies.get(arn, self._policies.get(arn.rpartition(":")[2], []))
        return Guarded(
            name=f"{kind} {arn}",
            arn=arn,
            account=parts[_ACCOUNT] or evidence.stack.account,
            region=parts[_REGION] or evidence.stack.region,
            policy=merged([text for _, text in own]),
            evidence=(evidence, *(carrier for carrier, _ in own)),
            known=False,
        )

    def at(self, policy: Resource) -> Document | None:
        """The text that a resource attaches to something else."""
        return next((text for own in self._policies.values() for carrier, text in own if carrier is policy), None)

    def strays(self) -> list[tuple[Resource, str]]:
        """Policies attached to what no template makes, with its ARN or name."""
        found = ((target, own) for target, own in self._policies.items() if isinstance(target, str))
        return [(carrier, target) for target, own in found for carrier, _ in own]

    def _attach(self, policy: Resource, kind: Attached) -> None:
        carried = _of_door(policy.value(kind.text), policy)
        for name in listed(policy.value(kind.target)):
            found = self._model.find(name, *self._types, near=policy)
            self._policies.setdefault(found or str(name), []).append((policy, carried))


def _of_door(text: Json, carrier: Resource) -> Document:
    """A resource policy, each statement of which says whom it is about."""
    read = document(text, carrier)
    if any(each.principals is None and each.not_principals is None for each in read.statements):
        raise carrier.refuse("has a policy that is not understood: a statement on a resource names no principal")
    return read


def tags(resource: Resource, *prefixes: str) -> Context:
    """Condition keys of a resource's tags. A tag that no template gives may come with the deployment: not known."""
    given: Json = resource.value("Tags")
    if isinstance(given, dict):
        table = cast("dict[str, Json]", given)
    else:
        pairs = [tag for tag in cast("list[dict[str, Json]]", listed(given)) if {"Key", "Value"} <= tag.keys()]
        table = {tag["Key"]: tag["Value"] for tag in pairs}
    return {f"{prefix}/{key}": (str(value),) for prefix in prefixes for key, value in table.items()}


def concrete(pattern: str) -> str:
    """A text that a pattern covers."""
    return pattern.replace("*", "x").replace("?", "x")
