"""Which accounts resources name other than their own: where data, events or programs come from or go to.

Most properties that reach into another account name it in an ARN, as an account's number or in an image's registry:
replication, copies of backups, subscriptions, targets of events, layers, launch permissions and more that has no
relation of its own.
"""

import re
from typing import Final

from infra.assurance.access.reading import texts
from infra.assurance.facts import Fact, Relation
from infra.assurance.model.model import Model

NAMES: Final = "names account"
# <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>,
# <https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html>
_IN_AN_ARN: Final = re.compile(r"arn:[\w-]+:[\w-]+:[\w*-]*:(\d{12}):")
_BY_ITSELF: Final = re.compile(r'"(\d{12})\\?"')
_REGISTRY: Final = ".dkr"
_OF_A_REGISTRY: Final = re.compile(r"(?<!\d)(\d{12})\.dkr[.-]ecr")


def named(model: Model) -> list[Fact]:
    """A fact for each other account that a resource names."""
    found: list[Fact] = []
    for resource, text in texts(model).items():
        others = sorted(_accounts(text) - {resource.stack.account})
        found += (Fact(Relation.POSTURE, (resource.name, NAMES, number), (resource,)) for number in others)
    return found


def _accounts(text: str) -> set[str]:
    found = {*_IN_AN_ARN.findall(text), *_BY_ITSELF.findall(text)}
    return found.union(_OF_A_REGISTRY.findall(text)) if _REGISTRY in text else found
