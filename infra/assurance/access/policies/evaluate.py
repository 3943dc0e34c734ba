"""Decide a request as AWS does.

<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html>: an
explicit denial anywhere decides; every limit (boundary, session policy, organisation and endpoint policies) has to
allow; in the resource's own account its policy or the caller's is enough, across accounts both are needed.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from functools import cache
from typing import Final, NamedTuple

from infra.assurance.access.policies.context import STRANGER, Request
from infra.assurance.access.policies.document import Document, Statement
from infra.assurance.access.policies.patterns import anything, matches_arn
from infra.assurance.access.policies.principals import Kind, Level, Principal, named
from infra.assurance.access.policies.truth import MAYBE, NO, YES, Truth, negated, some
from infra.assurance.access.policies.variables import Lookup, substitute
from infra.assurance.refusal import Refused

__all__ = ["Decision", "Kind", "Principal", "Request", "ResourceKind", "decide", "may_cover"]


class ResourceKind(StrEnum):
    """What a resource's own policy decides, besides the common rule."""

    ORDINARY = "ordinary"
    """In its account either policy is enough."""
    KEY = "key"
    """Nobody uses a KMS key that its policy does not admit, or leave to its account:
    <https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html>."""
    ROLE = "role"
    """Nobody takes up a role that its trust policy does not admit, and no root user does at all:
    <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>."""
    LATTICE = "lattice"
    """Both have to allow, even in one account: <https://docs.aws.amazon.com/vpc-lattice/latest/ug/auth-policies.html>."""


class Decision(NamedTuple):
    """Whether a request is allowed, the statement that decides (None where none speaks), the steps as sentences."""

    allowed: bool
    because: Statement | None
    chain: tuple[str, ...]


_UNLIMITED: Final = (Kind.ROOT, Kind.ACCOUNT)
_HAS_IDENTITY: Final = (Kind.ROLE, Kind.USER, Kind.ROOT, Kind.ACCOUNT)
_SILENCE: Final = Decision(allowed=False, because=None, chain=("no policy allows it",))
_WORLD: Final = Principal(f"arn:{anything('partition')}:iam::{STRANGER}:root", STRANGER, Kind.ACCOUNT)


def decide(
    request: Request,
    *,
    resource_policy: Document | None = None,
    resource_kind: ResourceKind = ResourceKind.ORDINARY,
    limits: Sequence[Sequence[Document]] = (),
) -> Decision:
    """Decide one request.

    Each of `limits` is a set of policies of which one has to allow: service and resource control policies by level of
    the organisation, the policy of a VPC endpoint. `ANYONE` is whoever does not sign, or signs as a stranger.

    Raises:
        Refused: a statement of the resource's policy names nobody.
    """
    principal, action = request.principal, request.action
    if principal.kind is Kind.ANYONE:
        return _decide_anyone(request, resource_policy, resource_kind, limits)
    own = principal.about(action)
    theirs = resource_policy.about(action) if resource_policy else ()
    at_home = principal.account == request.resource_account
    if not theirs and not (
        at_home and resource_kind is ResourceKind.ORDINARY and (own or principal.kind in _UNLIMITED)
    ):
        return _SILENCE
    return _Case(request, own, theirs, limits).decided(resource_kind)


def _decide_anyone(
    request: Request, policy: Document | None, kind: ResourceKind, limits: Sequence[Sequence[Document]]
) -> Decision:
    theirs = policy.about(request.action) if policy else ()
    if not any(statement.allows for statement in theirs):
        return _SILENCE
    decision = _Case(request, (), theirs, limits).decided(kind)
    if decision.allowed:
        return decision
    return _Case(request._replace(principal=_WORLD), (), theirs, limits).decided(kind)


def may_cover(statement: Statement, resource: str) -> bool:
    """Whether a statement may speak of a resource, whatever its conditions and variables say."""
    if statement.resources is None or statement.has_variables or "*" in statement.resources:
        return True
    return _some_covers(statement.resources, resource) is not NO


@cache
def _some_covers(patterns: tuple[str, ...], resource: str) -> Truth:
    return some(matches_arn(pattern, resource) for pattern in patterns)


class _Denied(Exception):
    def __init__(self, statement: Statement) -> None:
        super().__init__(statement)
        self.statement = statement


class _Case:
    """One request with the statements that speak of its action."""

    def __init__(
        self,
        request: Request,
        own: tuple[Statement, ...],
        theirs: tuple[Statement, ...],
        limits: Sequence[Sequence[Document]],
    ) -> None:
        self.request, self.principal = request, request.principal
        self.own, self.theirs, self.limits = own, theirs, limits
        self._lookup: Lookup | None = None

    def decided(self, kind: ResourceKind) -> Decision:
        try:
            return self._decided(kind)
        except _Denied as denied:
            return Decision(allowed=False, because=denied.statement, chain=(f"{denied.statement} denies it",))

    def _decided(self, kind: ResourceKind) -> Decision:
        principal = self.principal
        granting, level = self._granting() if self.theirs else (None, Level.NONE)
        at_home = principal.account == self.request.resource_account
        if level is Level.NONE and not (at_home and kind is ResourceKind.ORDINARY):
            return _SILENCE
        identity = self._allowing(self.own) if self.own else None
        has_identity = identity is not None or principal.kind in _UNLIMITED
        if kind is ResourceKind.ROLE and principal.kind is Kind.ROOT:
            return Decision(allowed=False, because=None, chain=("no root user takes up a role",))
        narrowed = not (self._within(principal.boundary) and self._within(principal.session))
        open_by_limits = all(self._within_one(level) for level in self.limits)
        if not open_by_limits or not self._suffices(kind, level, has_identity=has_identity, narrowed=narrowed):
            return _SILENCE
        return self._allowed(identity, granting, level)

    def _suffices(self, kind: ResourceKind, level: Level, *, has_identity: bool, narrowed: bool) -> bool:
        """Whether what allows is enough, if nothing denies. `narrowed`: a boundary or session policy leaves it out."""
        if self.principal.kind not in _HAS_IDENTITY:
            return level == Level.DIRECT
        both = level > Level.NONE and has_identity and not narrowed
        if self.principal.account != self.request.resource_account or kind is ResourceKind.LATTICE:
            return both
        by_resource = level == Level.DIRECT or (level == Level.ROLE and not narrowed)
        if kind is not ResourceKind.ORDINARY:
            return both or by_resource
        return by_resource or (has_identity and not narrowed)

    def _allowed(self, identity: Statement | None, granting: Statement | None, level: Level) -> Decision:
        chain: list[str] = []
        if granting:
            how = "leaves it to the account" if level == Level.ACCOUNT else "allows it"
            chain.append(f"{granting} {how}")
        if identity:
            chain.append(f"{identity} allows {self.request.action}")
        alone = granting and self.principal.account == self.request.resource_account and level > Level.ACCOUNT
        if not identity and not alone and self.principal.kind in _UNLIMITED:
            chain.append(f"{self.principal.kind} {self.principal.account} has every right of its own")
        because = granting if granting and level > Level.ACCOUNT else identity or granting
        return Decision(allowed=True, because=because, chain=tuple(chain))

    def _allowing(self, statements: Iterable[Statement]) -> Statement | None:
        """The first statement that allows.

        Raises:
            _Denied: one denies for certain.
        """
        found: Statement | None = None
        for statement in statements:
            if statement.allows and found:
                continue
            truth = self._speaks_here(statement)
            if not statement.allows and truth is YES:
                raise _Denied(statement)
            if statement.allows and truth:
                found = statement
        return found

    def _granting(self) -> tuple[Statement | None, Level]:
        """What the resource's policy gives: the statement that names the caller most directly."""
        granting, best = None, Level.NONE
        for statement in self.theirs:
            if statement.principals is None and statement.not_principals is None:
                raise Refused(f"{statement} is on a resource and names no principal", where=statement.source)
            level, truth = named(statement, self.principal)
            if truth is NO or (statement.allows and level <= best):
                continue
            truth = min(truth, self._speaks_here(statement))
            if not statement.allows and truth is YES:
                raise _Denied(statement)
            if statement.allows and truth:
                granting, best = statement, level
        return granting, best

    def _within(self, limit: Document | None) -> bool:
        return limit is None or self._within_one((limit,))

    def _within_one(self, documents: Sequence[Document]) -> bool:
        about = (statement for document in documents for statement in document.about(self.request.action))
        return self._allowing(each for each in about if self._limits_caller(each)) is not None

    def _limits_caller(self, statement: Statement) -> bool:
        """Whether a limit's statement speaks of the caller: an endpoint's policy names principals, others do not."""
        if statement.principals is None and statement.not_principals is None:
            return True
        truth = named(statement, self.principal)[1]
        return truth is not NO if statement.allows else truth is YES

    def _speaks_here(self, statement: Statement) -> Truth:
        """Whether a statement about the action applies to the resource, under its conditions."""
        truth = self._covers(statement)
        for condition in statement.conditions:
            if truth is NO:
                break
            truth = min(truth, condition.holds(self.lookup, variables=statement.has_variables))
        return truth

    def _covers(self, statement: Statement) -> Truth:
        if statement.resources is not None:
            return self._any_covers(statement.resources, statement, without_value=NO)
        if statement.not_resources is not None:
            return negated(self._any_covers(statement.not_resources, statement, without_value=MAYBE))
        return YES

    def _any_covers(self, patterns: tuple[str, ...], statement: Statement, *, without_value: Truth) -> Truth:
        resource = self.request.resource
        if "*" in patterns:
            return YES
        if not statement.has_variables:
            return _some_covers(patterns, resource)
        written = (substitute(pattern, self.lookup) for pattern in patterns)
        return some(without_value if pattern is None else matches_arn(pattern, resource) for pattern in written)

    @property
    def lookup(self) -> Lookup:
        """What is known of the request's keys."""
        if self._lookup is None:
            self._lookup = self.request.lookup()
        return self._lookup
