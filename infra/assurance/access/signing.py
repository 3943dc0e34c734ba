"""Which images Amazon ECR signs as they are pushed, and who may sign: whoever pushes has to.

<https://docs.aws.amazon.com/AmazonECR/latest/userguide/managed-signing.html>. Boundaries are not taken off, nor
conditions: who may sign is overstated, and never missed. An account's root may always.
"""

from collections.abc import Iterator
from typing import Final

from infra.assurance.access.attachments import ROLE, USER, Attachments
from infra.assurance.access.policies.document import Document
from infra.assurance.access.policies.evaluate import may_cover
from infra.assurance.access.reading import listed, reading, within
from infra.assurance.facts import Fact, Relation, distinct
from infra.assurance.model.model import Model
from infra.assurance.model.resource import Resource

SIGNED: Final = "signs what is pushed to"
SIGNER: Final = "signed with by"
_PROFILE: Final = "AWS::Signer::SigningProfile"
_CONFIGURATION: Final = "AWS::ECR::SigningConfiguration"
_SIGN: Final = "signer:SignPayload"


def signing(model: Model) -> list[Fact]:
    """Of each profile: the repositories whose images are signed with it, and who may sign with it."""
    found: list[Fact] = []
    for configuration in model.of_type(_CONFIGURATION):
        with reading(model, configuration):
            found += _signed(model, configuration)
    profiles = model.of_type(_PROFILE)
    for name, document in _documents(model) if profiles else ():
        for statement in document.about(_SIGN):
            for profile in profiles:
                if statement.allows and may_cover(statement, profile.arn):
                    path = (f"{statement} allows {name} {_SIGN}",)
                    found.append(Fact(Relation.POSTURE, (profile.name, SIGNER, name), (profile,), path))
    return distinct(found)


def _signed(model: Model, configuration: Resource) -> Iterator[Fact]:
    for rule in listed(configuration.value("Rules")):
        arn = within(rule, "SigningProfileArn")
        profile = model.find(arn, _PROFILE)
        for repository in listed(within(rule, "RepositoryFilters")) or [{"Filter": "*"}]:
            row = (profile.name if profile else str(arn), SIGNED, str(within(repository, "Filter")))
            yield Fact(Relation.POSTURE, row, (configuration,))


def _documents(model: Model) -> Iterator[tuple[str, Document]]:
    """Every identity policy, by whom it holds for."""
    attachments = Attachments.of_model(model)
    for holder in model.of_type(ROLE, USER):
        with reading(model, holder):
            yield from ((holder.name, document) for document in attachments.of(holder))
    yield from ((f"holder of {policy.name}", document) for policy, document in attachments.held_by_nobody())
    yield from ((f"role {arn}", document) for arn, documents in attachments.outside.items() for document in documents)
