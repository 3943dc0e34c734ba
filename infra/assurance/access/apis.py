"""APIs that IAM guards, and who may send them requests: VPC Lattice, OpenSearch, Lambda and API Gateway."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from typing import Final

from infra.assurance.access.actors import ANYONE, Actor
from infra.assurance.access.desk import Desk, Question, sentence
from infra.assurance.access.guarded import Attached, Doors, Guarded
from infra.assurance.access.policies.evaluate import Decision, ResourceKind
from infra.assurance.access.reading import is_true, reading, within
from infra.assurance.facts import Fact, Relation
from infra.assurance.model.model import Model

SERVICE: Final = "AWS::VpcLattice::Service"
NETWORK: Final = "AWS::VpcLattice::ServiceNetwork"
FUNCTION: Final = "AWS::Lambda::Function"
DOMAINS: Final = {"AWS::OpenSearchService::Domain": "AccessPolicies", "AWS::Elasticsearch::Domain": "AccessPolicies"}
INVOKE: Final = "vpc-lattice-svcs:Invoke"
_BY_IAM: Final = "AWS_IAM"
_SEARCH: Final = ("es:ESHttpGet", "es:ESHttpPost", "es:ESHttpPut", "es:ESHttpDelete", "es:ESHttpPatch", "es:ESHttpHead")


class Apis:
    """The APIs of an assembly."""

    def __init__(self, model: Model) -> None:
        self.model = model
        policy = Attached("AWS::VpcLattice::AuthPolicy", "ResourceIdentifier", "Policy")
        doors = Doors(model, {SERVICE: "", NETWORK: ""}, (policy,))
        for stray, target in doors.strays():
            model.refusals.add(stray.refuse(f"guards {target}, which no template has"))
        lattice = doors.known()
        self.services = [door for door in lattice if door.resource.type == SERVICE]
        self.networks = {door.resource: door for door in lattice if door.resource.type == NETWORK}
        self.domains = Doors(model, DOMAINS).known()

    @property
    def doors(self) -> list[Guarded]:
        """Each of them."""
        return [*self.services, *self.networks.values(), *self.domains]

    def networks_of(self, service: Guarded) -> list[Guarded]:
        """The networks that a Lattice service is in."""
        found: list[Guarded] = []
        for association in self.model.of_type("AWS::VpcLattice::ServiceNetworkServiceAssociation"):
            with reading(self.model, association):
                if (
                    self.model.find(association.value("ServiceIdentifier"), SERVICE, near=association)
                    is service.resource
                ):
                    network = self.model.find(association.value("ServiceNetworkIdentifier"), NETWORK, near=association)
                    if network in self.networks:
                        found.append(self.networks[network])
        return found


def called(desk: Desk, apis: Apis) -> Iterator[Fact]:
    """Who calls which API."""
    for service in apis.services:
        with reading(apis.model, service.resource):
            yield from _lattice(desk, service, apis.networks_of(service))
    for domain in apis.domains:
        with reading(apis.model, domain.resource):
            yield from _domain(desk, domain)


def _lattice(desk: Desk, service: Guarded, networks: list[Guarded]) -> Iterator[Fact]:
    """A request has to pass the network's door and the service's; `NONE` is an open door.

    <https://docs.aws.amazon.com/vpc-lattice/latest/ug/auth-policies.html#auth-policies-evaluation-logic>
    """
    for network in networks or [None]:
        guarded = [door for door in (service, network) if door and door.resource.value("AuthType") == _BY_IAM]
        if not guarded:
            step = f"{service.name} and its network ask nobody who they are (AuthType NONE)"
            yield Fact(Relation.CALLS, (ANYONE, service.name), service.evidence, (step,))
            continue
        for part in desk.parts(service, "vpc-lattice"):
            yield from _admitted(desk, service, guarded, part)


def _admitted(desk: Desk, service: Guarded, guarded: list[Guarded], part: str) -> Iterator[Fact]:
    first, *others = [Question(INVOKE, door, ResourceKind.LATTICE, resource=part) for door in guarded]
    for actor, decision in desk.answers(first).items():
        decisions = [decision, *(desk.ask(actor, question) for question in others)]
        if all(each.allowed for each in decisions):
            steps = tuple(sentence(actor, INVOKE, door, why) for door, why in zip(guarded, decisions, strict=True))
            evidence = (*actor.evidence, *(each for door in guarded for each in door.evidence))
            yield Fact(Relation.CALLS, (actor.name, service.name), evidence, steps)


def _domain(desk: Desk, domain: Guarded) -> Iterator[Fact]:
    """<https://docs.aws.amazon.com/opensearch-service/latest/developerguide/ac.html>."""
    own_users = is_true(within(domain.resource.value("AdvancedSecurityOptions"), "Enabled"))
    note = ("fine-grained access control asks further",) if own_users else ()
    found: set[Actor] = set()
    for action, part in product(_SEARCH, desk.parts(domain, "es")):
        answers = desk.answers(Question(action, domain, resource=part), besides=found)
        found |= answers.keys()
        yield from _rows(answers, domain, action, note)


def _rows(answers: Mapping[Actor, Decision], door: Guarded, action: str, note: Iterable[str] = ()) -> Iterator[Fact]:
    for actor, decision in answers.items():
        path = (sentence(actor, action, door, decision), *note)
        yield Fact(Relation.CALLS, (actor.name, door.name), (*actor.evidence, *door.evidence), path)
