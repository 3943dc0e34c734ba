"""Asks IAM: who of all may do this to that? Only those are asked about whom some policy could let in."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Final, NamedTuple

from infra.assurance.access.actors import ANYONE, Actor, account_of, plain
from infra.assurance.access.guarded import NOTHING_KNOWN, Context, Guarded, concrete
from infra.assurance.access.policies.document import Document, Statement
from infra.assurance.access.policies.evaluate import Decision, Kind, Request, ResourceKind, decide, may_cover
from infra.assurance.access.policies.patterns import matches

OPEN: Final = Document.parse(
    {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}},
    "a policy that is not in the assembly",
)
"""What is taken for a resource policy that no file tells: access through it is overstated, and never missed."""

_ANYBODY: Final = ""
_WILDCARD: Final = re.compile(r"[*?⟪$]")
_WITH_POLICIES: Final = (Kind.ROLE, Kind.USER)


class Question(NamedTuple):
    """May somebody do this to that? `kind` is what IAM's evaluation needs to know of the thing.

    `resource` is what the request names, if that is more than the thing's ARN (an object in a bucket).
    """

    action: str
    door: Guarded
    kind: ResourceKind = ResourceKind.ORDINARY
    resource: str = ""
    context: Context = NOTHING_KNOWN


class Desk:
    """Answers questions about everybody."""

    def __init__(self, actors: Iterable[Actor]) -> None:
        self._everybody = list(actors)
        self._with_policies = [actor for actor in self._everybody if actor.principal.kind in _WITH_POLICIES]
        self._order = {actor: place for place, actor in enumerate(self._everybody)}
        self._at_home: dict[str, list[Actor]] = defaultdict(list)
        self._named: dict[str, Actor] = {}  # by ARN; accounts by number, anyone by ""
        self._allowing: dict[str, list[Actor]] = {}
        self._asking: dict[str, list[Statement]] = {}
        for actor in self._everybody:
            if actor.principal.kind in (*_WITH_POLICIES, Kind.ROOT):
                self._at_home[actor.principal.account].append(actor)
            self._named.setdefault(_key(actor), actor)

    def answers(
        self, question: Question, *, besides: Iterable[Actor] = (), everybody: bool = False
    ) -> dict[Actor, Decision]:
        """Everybody who may, besides those of whom it is known, with why, in the order of everybody.

        Where anyone at all may, nobody else is told but who has leave at home; with `everybody`, all are.
        """
        door, action = question.door, question.action
        if question.kind is not ResourceKind.ORDINARY and door.policy and not door.policy.about(action):
            return {}  # nobody is let in by a door that says nothing of it
        known = set(besides)
        candidates = set(self._candidates(question)) - known
        if question.kind is not ResourceKind.ROLE:  # at home, it is each principal's own policies that count
            candidates.discard(self._named.get(door.account))
        decisions = ((actor, self.ask(actor, question)) for actor in sorted(candidates, key=self._order.__getitem__))
        found = {actor: decision for actor, decision in decisions if decision.allowed}
        if not everybody and any(actor.name == ANYONE for actor in (*known, *found)):
            home = (each for each in self.own(action) if each.principal.account == door.account)
            told = {*home, self._named[_ANYBODY]}
            found = {actor: why for actor, why in found.items() if actor in told}
        return found

    def ask(self, actor: Actor, question: Question) -> Decision:
        """Whether one actor may."""
        door = question.door
        at_home = actor.principal.account == door.account
        request = Request(
            principal=actor.principal if at_home else actor.abroad,
            action=question.action,
            resource=question.resource or door.arn,
            resource_account=door.account,
            context={**actor.context, **door.context, **question.context},
        )
        policy = door.policy
        if policy is None and not door.known and (not at_home or question.kind is not ResourceKind.ORDINARY):
            policy = OPEN
        return decide(request, resource_policy=policy, resource_kind=question.kind)

    def _candidates(self, question: Question) -> Iterator[Actor]:
        door, action = question.door, question.action
        yield from (actor for actor in self._at_home[door.account] if actor.principal.kind is Kind.ROOT)
        if door.known:
            yield from self._with_own_leave(question, door.account)
        else:  # its policy is not known, and may let in everybody at home; who means it from elsewhere says so
            yield from (actor for actor in self.own(action) if actor.principal.account == door.account)
            yield from (actor for actor in self.own(action) if _means(actor, action, door))
        for statement in door.policy.about(action) if door.policy else ():
            if statement.allows:
                yield from self._let_in(statement, question)

    def _let_in(self, statement: Statement, question: Question) -> Iterator[Actor]:
        door, names = question.door, statement.principals
        own, home = self.own(question.action), self._at_home[door.account]
        if names is None or ("AWS", "*") in names:  # NotPrincipal, too, lets in everybody but a few
            yield from home
            yield from own
            yield from (actor for actor in self._everybody if actor.principal.kind in {Kind.ACCOUNT, Kind.ANYONE})
            yield from (actor for actor in self._everybody if actor.abroad is not actor.principal)
        for kind, name in names or ():
            known = self._named.get(plain(kind, name))
            if known:
                yield known
            if known is None:
                account = account_of(plain(kind, name))
                yield from (actor for actor in own if actor.principal.account == account)
            elif known.principal.kind is Kind.ACCOUNT:  # it leaves the decision to their own policies
                yield from self._with_own_leave(question, known.principal.account)

    def _with_own_leave(self, question: Question, account: str) -> Iterator[Actor]:
        """Those of an account whose own policies may allow it."""
        action, resource = question.action, question.resource or question.door.arn
        for actor in self.own(action):
            statements = actor.principal.about(action) if actor.principal.account == account else ()
            if any(statement.allows and may_cover(statement, resource) for statement in statements):
                yield actor

    @cached_property
    def patterns(self) -> frozenset[str]:
        """What the resources of everybody's own policies say."""
        documents = {text for actor in self._everybody for text in actor.principal.identity}
        return frozenset(pattern for text in documents for pattern in written(text))

    def asking(self, prefix: str) -> list[Statement]:
        """Statements of everybody's own policies and limits with a condition on a key (in lower case) so named."""
        if prefix not in self._asking:
            principals = [actor.principal for actor in self._everybody]
            documents = dict.fromkeys(text for each in principals for text in (*each.identity, each.boundary) if text)
            self._asking[prefix] = [
                statement
                for document in documents
                for statement in document.statements
                if any(condition.key.startswith(prefix) for condition in statement.conditions)
            ]
        return self._asking[prefix]

    def parts(self, door: Guarded, service: str) -> list[str]:
        """ARNs of parts of a thing (objects of a bucket, paths of an API) such that each policy covers one it means.

        One part has a name that no policy says.
        """
        patterns = self.patterns | frozenset(written(door.policy) if door.policy else ())
        of_service = (pattern for pattern in patterns if pattern.split(":")[2:3] in ([service], ["*"]))
        inner = {part for pattern in of_service for part in _behind(pattern, door.arn)}
        return [f"{door.arn}/{part}" for part in ["part", *sorted(map(concrete, inner - {"*", ""}))]]

    def own(self, action: str) -> list[Actor]:
        """Those whose own policies speak of an action."""
        found = self._allowing.get(action)
        if found is None:
            found = self._allowing[action] = [
                actor
                for actor in self._with_policies
                if any(statement.allows for statement in actor.principal.about(action))
            ]
        return found


def sentence(actor: Actor, action: str, door: Guarded, decision: Decision) -> str:
    """Why somebody may, as a step of a path."""
    return f"{actor.name} may {action} on {door.name}: {', '.join(decision.chain)}"


def _behind(pattern: str, arn: str) -> Iterator[str]:
    """What a pattern says behind an ARN and a slash, wherever in it the ARN may end."""
    plain_start = _WILDCARD.split(pattern, maxsplit=1)[0]
    if not (arn.startswith(plain_start) or plain_start.startswith(arn)):
        return
    pieces = pattern.split("/")
    for place in range(1, len(pieces)):
        if matches("/".join(pieces[:place]), arn):
            yield "/".join(pieces[place:])
    before, wildcard, rest = pattern.rpartition("*")
    if wildcard and matches(f"{before}*", arn):  # the wildcard may cover the slash
        yield f"*{rest}"


def _means(actor: Actor, action: str, door: Guarded) -> bool:
    """Whether an actor's own policies name a thing, or its account, and not just everything."""
    statements = (statement for statement in actor.principal.about(action) if statement.allows)
    patterns = (pattern for statement in statements for pattern in statement.resources or ())
    return any(account_of(pattern) == door.account or pattern.startswith(door.arn) for pattern in patterns)


def written(text: Document) -> Iterator[str]:
    """Every resource pattern of a policy."""
    for statement in text.statements:
        yield from statement.resources or ()
        yield from statement.not_resources or ()


def _key(actor: Actor) -> str:
    return actor.principal.account if actor.principal.kind is Kind.ACCOUNT else actor.principal.arn
