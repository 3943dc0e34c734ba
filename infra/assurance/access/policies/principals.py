"""Who asks, and whether a statement names them.

<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>.
"""

from collections.abc import Mapping, Sequence
from enum import IntEnum, StrEnum
from functools import cache
from typing import Final, NamedTuple

from infra.assurance.access.policies.document import Document, Principals, Statement
from infra.assurance.access.policies.patterns import matches
from infra.assurance.access.policies.truth import MAYBE, NO, YES, Truth
from infra.assurance.model.identity import is_unknown


class Kind(StrEnum):
    """Of a principal. `ACCOUNT` is another account as a whole: someone in it, with whatever rights it gives itself."""

    ROLE = "role"
    USER = "user"
    ROOT = "root"
    ACCOUNT = "account"
    SERVICE = "service"
    FEDERATED = "federated"
    CANONICAL = "canonical user"
    ANYONE = "anyone"


class Principal:
    """Whoever asks.

    `arn` is the name as policies have it: of a service `logs.amazonaws.com`, of a federated one its provider.
    `session` is a session policy. `tags` are what `aws:PrincipalTag/…` gives: None if not known, as when whoever
    assumes the role may tag the session.
    """

    def __init__(
        self,
        arn: str,
        account: str,
        kind: Kind,
        identity: Sequence[Document] = (),
        boundary: Document | None = None,
        *,
        session: Document | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        self.arn, self.account, self.kind = arn, account, kind
        self.identity, self.boundary, self.session = identity, boundary, session
        self.tags = tags
        self._own = Document(tuple(statement for each in identity for statement in each.statements), arn)

    def about(self, action: str) -> tuple[Statement, ...]:
        """Its own policies' statements that speak of an action."""
        return self._own.about(action)


class Level(IntEnum):
    """How directly a resource's policy names somebody, which decides what else is needed."""

    NONE = 0
    ACCOUNT = 1
    """By the account: it leaves the decision to the account's identity policies."""
    ROLE = 2
    """By the role's ARN: enough in the same account, unless a boundary or a session policy leaves it out."""
    DIRECT = 3
    """As the very caller (a user, a session, a service, everybody): enough in the same account."""


def named(statement: Statement, principal: Principal) -> tuple[Level, Truth]:
    """Whether a statement of a resource's policy speaks of a principal, and how directly it may."""
    if statement.principals is None:
        if not statement.allows and principal.boundary:
            # <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html>: such a denial is for
            # whoever has a boundary, whatever it leaves out.
            return Level.DIRECT, YES
        return _not_left_out(statement.not_principals or (), principal)
    if principal.kind in _IN_ACCOUNTS and (plain := _plain(statement.principals)):
        if principal.arn in plain.arns:
            return (Level.ROLE if principal.kind is Kind.ROLE else Level.DIRECT), YES
        return (Level.ACCOUNT, YES) if principal.account in plain.accounts else _NOBODY
    found = [_names(kind, name, principal) for kind, name in statement.principals]
    if len(found) == 1:
        return found[0]
    return max((level for level, _ in found), default=Level.NONE), max((truth for _, truth in found), default=NO)


class _Plain(NamedTuple):
    """Roles, users and accounts that a statement names."""

    arns: frozenset[str]
    accounts: frozenset[str]


@cache
def _plain(principals: Principals) -> _Plain | None:
    """Whom it means, to be looked up at once; None if it takes a closer look (at `*`, sessions, unknown parts)."""
    names = [name for kind, name in principals if kind == "AWS"]
    if any(name == "*" or is_unknown(name) or _parts(name)[0] != "iam" for name in names):
        return None
    roots = frozenset(_parts(name)[1] for name in names if _parts(name)[2] == "root")
    return _Plain(frozenset(names), roots)


def _not_left_out(names: Principals, principal: Principal) -> tuple[Level, Truth]:
    """Whether `NotPrincipal` leaves a principal in; to be left out, a role or user is named with its account.

    <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html>
    """
    found = [_names(kind, name, principal) for kind, name in names]
    if all(truth is NO for _, truth in found):
        return Level.DIRECT, YES
    surely = {level for level, truth in found if truth is YES}
    if ("AWS", "*") in names or _LEAVES_OUT.get(principal.kind, {Level.DIRECT}) <= surely:
        return Level.NONE, NO
    return Level.DIRECT, MAYBE


# Tuples: what is looked for is found by identity, faster than a member of an enumeration is hashed.
_IN_ACCOUNTS: Final = (Kind.ROLE, Kind.USER)
_LEAVES_OUT: Final = {Kind.ROLE: {Level.ROLE, Level.ACCOUNT}, Kind.USER: {Level.DIRECT, Level.ACCOUNT}}
_OF_AWS: Final = (Kind.ROLE, Kind.USER, Kind.ROOT, Kind.ACCOUNT)
_OTHERS: Final = {"Service": Kind.SERVICE, "Federated": Kind.FEDERATED, "CanonicalUser": Kind.CANONICAL}
_NOBODY: Final = (Level.NONE, NO)


def _names(kind: str, name: str, principal: Principal) -> tuple[Level, Truth]:
    if kind != "AWS":
        truth = matches(name, principal.arn) if principal.kind is _OTHERS[kind] else NO
        return (Level.DIRECT, truth) if truth else _NOBODY
    if name == "*":
        return Level.DIRECT, YES
    if name == principal.arn:
        return (Level.ROLE if principal.kind is Kind.ROLE else Level.DIRECT), YES
    if principal.kind not in _OF_AWS:
        return _NOBODY if matches(name, "*") is NO else (Level.DIRECT, MAYBE)
    if is_unknown(name):
        return _names_unknown(name, principal)
    return _names_by_parts(name, principal)


def _names_by_parts(name: str, principal: Principal) -> tuple[Level, Truth]:
    service, account, rest = _parts(name)
    if account != principal.account:
        return _NOBODY
    if (service, rest) == ("iam", "root"):
        return (Level.ACCOUNT if principal.kind in _IN_ACCOUNTS else Level.DIRECT), YES
    if principal.kind is Kind.ACCOUNT:
        return Level.DIRECT, MAYBE
    kind, _, session = rest.partition("/")
    # Whoever takes up a role chooses its session's name, and a user the name of one it federates.
    role = principal.arn.rpartition("/")[2]
    if kind == "assumed-role" and principal.kind is Kind.ROLE and session.partition("/")[0] == role:
        return Level.DIRECT, MAYBE
    if kind == "federated-user" and principal.kind is Kind.USER:
        return Level.DIRECT, MAYBE
    return _NOBODY


def _names_unknown(name: str, principal: Principal) -> tuple[Level, Truth]:
    if matches(name, principal.arn):
        return Level.DIRECT, MAYBE
    partition = principal.arn.split(":", 2)[1]
    root = f"arn:{partition}:iam::{principal.account}:root"
    return (Level.ACCOUNT, MAYBE) if matches(name, root) or matches(name, principal.account) else _NOBODY


@cache
def _parts(name: str) -> tuple[str, str, str]:
    """Service, account and the rest of a principal's ARN; the id of an account means its root."""
    if ":" not in name:
        return "iam", name, "root"
    _, _, service, _, account, rest = name.split(":", 5)
    return service, account, rest
