"""Who may act: everybody that the templates make or name, and those who are always there.

Roles and users of the templates, each account's root, the AWS services and foreign principals that some policy names,
every foreign account so named as a whole, and anyone at all. What a stranger's own policies say is not in the assembly:
they are taken to allow everything, since whoever owns them may write them so.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final

from infra.assurance.access.attachments import ROLE, USER, Attachments
from infra.assurance.access.guarded import NOTHING_KNOWN, Context, Guarded, concrete, tags
from infra.assurance.access.policies.document import Document
from infra.assurance.access.policies.evaluate import Kind, Principal
from infra.assurance.access.reading import document, reading
from infra.assurance.model.identity import is_unknown
from infra.assurance.model.model import Model
from infra.assurance.model.resource import Resource

ANYONE: Final = "anyone"
EVERYTHING: Final = Document.parse(
    {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}, "its own account"
)
"""The identity policy of a stranger."""

_ACCOUNT: Final = re.compile(r"(?<!\d)\d{12}(?!\d)")
# Keys by which a policy for everybody picks accounts.
_ACCOUNT_KEYS: Final = frozenset({"aws:principalaccount", "aws:principalarn", "kms:calleraccount", "aws:userid"})
_ORGANIZATION_KEYS: Final = frozenset({"aws:principalorgid", "aws:principalorgpaths"})
_SESSION: Final = re.compile(r"arn:([^:]+):sts::(\d+):assumed-role/([^/]+)/.*")
_ARN_ACCOUNT: Final = 4
_OTHERS: Final = {"Service": Kind.SERVICE, "Federated": Kind.FEDERATED, "CanonicalUser": Kind.CANONICAL}


class Actor:
    """Somebody who may act, as IAM sees them.

    `abroad` is how other accounts see them, where their own policies are not in the assembly. `resource` makes them,
    `context` is what is known of their requests.
    """

    def __init__(
        self,
        name: str,
        principal: Principal,
        abroad: Principal,
        resource: Resource | None = None,
        context: Context = NOTHING_KNOWN,
    ) -> None:
        self.name, self.principal, self.abroad = name, principal, abroad
        self.resource, self.context = resource, context

    @property
    def evidence(self) -> tuple[Resource, ...]:
        """What makes them, if a template does."""
        return (self.resource,) if self.resource else ()


def actors(model: Model, attachments: Attachments, doors: Iterable[Guarded]) -> list[Actor]:
    """Everybody who may have to do with what is guarded."""
    found = [*_made(model, attachments), *_holders(attachments)]
    known = {actor.principal.arn for actor in found}
    homes = {scope.account: scope.partition for scope in model.scopes}
    for account, partition in homes.items():
        root = Principal(f"arn:{partition}:iam::{account}:root", account, Kind.ROOT)
        found.append(_seen_alike(f"root of {account}", root))
    for arn, documents in attachments.outside.items():
        found.append(_outside(arn, documents))
        known.add(arn)
    named = dict.fromkeys(name for door in doors for name in _named(door))
    found += [_stranger(kind, name) for kind, name in named if name not in known]
    found.append(_seen_alike(ANYONE, Principal("", "", Kind.ANYONE)))
    return found


def account_of(name: str) -> str:
    """The account of a principal's ARN, or the account that it is."""
    return (*name.split(":"), *("",) * _ARN_ACCOUNT)[_ARN_ACCOUNT] if name.startswith("arn:") else name


def _made(model: Model, attachments: Attachments) -> list[Actor]:
    found: list[Actor] = []
    for resource in model.of_type(ROLE, USER):
        with reading(model, resource):
            principal = Principal(
                resource.arn,
                resource.stack.account,
                Kind.ROLE if resource.type == ROLE else Kind.USER,
                identity=tuple(attachments.of(resource)),
                boundary=attachments.boundary(resource),
            )
            found.append(Actor(resource.name, principal, principal, resource, _tagged(resource)))
    return found


def _tagged(resource: Resource) -> Context:
    """Its tags, unless whoever takes up the role may bring tags of their own."""
    trust = resource.value("AssumeRolePolicyDocument")
    if trust and any(each.allows for each in document(trust, resource).about("sts:TagSession")):
        return {}
    return tags(resource, "aws:PrincipalTag")


def _holders(attachments: Attachments) -> Iterator[Actor]:
    """A role of another name than all that templates make or name."""
    for policy, text in attachments.held_by_nobody():
        arn = f"{policy.arn.replace(':policy/', ':role/')}-holder"
        principal = Principal(arn, policy.stack.account, Kind.ROLE, identity=(text,))
        yield Actor(f"holder of {policy.name}", principal, principal, policy)


def _seen_alike(name: str, principal: Principal) -> Actor:
    return Actor(name, principal, principal)


def _outside(arn: str, documents: Iterable[Document] = ()) -> Actor:
    kind = Kind.USER if ":user/" in arn else Kind.ROLE
    at_home = Principal(arn, account_of(arn), kind, identity=tuple(documents))
    return Actor(f"{kind} {arn}", at_home, Principal(arn, account_of(arn), kind, identity=(EVERYTHING,)))


def _stranger(kind: str, name: str) -> Actor:
    if kind in _ORGANIZATION_KEYS:
        called = f"organization {name}"
        principal = Principal(f"arn:aws:iam::{called}:root", called, Kind.ACCOUNT)
        return Actor(called, principal, principal, context={kind: (concrete(name),)})
    if is_unknown(name):
        return _seen_alike(f"whoever is {name}", Principal(name, name, Kind.ACCOUNT))
    if kind in _OTHERS:
        return _seen_alike(f"{_OTHERS[kind]} {name}", Principal(name, "", _OTHERS[kind]))
    if name.startswith("arn:"):
        return _outside(name)
    return _seen_alike(f"account {name}", Principal(f"arn:aws:iam::{name}:root", name, Kind.ACCOUNT))


def _named(door: Guarded) -> Iterator[tuple[str, str]]:
    """Whom a resource policy lets in, by kind and name; accounts by their number, organisations by the key for them."""
    for statement in door.policy.statements if door.policy else ():
        if not statement.allows:
            continue
        for kind, name in statement.principals or ():
            if name != "*":
                yield kind, plain(kind, name)
        for condition in statement.conditions:
            if condition.key in _ACCOUNT_KEYS:
                for value in condition.values:
                    yield from (("AWS", account) for account in _ACCOUNT.findall(value))
            if condition.key in _ORGANIZATION_KEYS:
                yield from ((condition.key, value) for value in condition.values)


@cache
def plain(kind: str, name: str) -> str:
    """A principal as actors are told apart: sessions as their role, a root as its account."""
    if kind != "AWS" or is_unknown(name):
        return name
    if session := _SESSION.fullmatch(name):
        return "arn:{}:iam::{}:role/{}".format(*session.groups())
    return account_of(name) if name.endswith(":root") else name
