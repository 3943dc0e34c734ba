"""What a request says of itself: the keys that conditions and policy variables ask for.

<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>. Known is what follows from
who asks for what; whoever asks cannot choose it. Every other key (the time, the network it comes from, TLS, MFA,
external ids, tags of the request, the organisation) can be brought about by somebody, so it is unknown.
"""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, TypeAlias

from infra.assurance.access.policies.patterns import anything
from infra.assurance.access.policies.principals import Kind, Principal

Values: TypeAlias = tuple[str, ...] | None

_EMPTY: Final[Mapping[str, tuple[str, ...]]] = {}
STRANGER: Final = "000000000000"
"""An account that is nobody's."""


class Request(NamedTuple):
    """Somebody asks for an action on a resource.

    `resource` is an ARN, or `*` for an action that has none. `context` adds what is known (its keys in any case): the
    values of a key, and none for a key that the request certainly lacks. `resource_tags` are what `…:ResourceTag/…`
    gives, None if not known.
    """

    principal: Principal
    action: str
    resource: str
    resource_account: str
    context: Mapping[str, tuple[str, ...]] = _EMPTY
    resource_tags: Mapping[str, str] | None = None

    def lookup(self) -> Callable[[str], Values]:
        """The values of keys, given in lower case."""
        given = {key.lower(): values for key, values in self.context.items()}
        kind = self.principal.kind

        def value(key: str) -> Values:
            if key in given:
                return given[key]
            if derived := _DERIVED.get(key):
                return derived(self)
            if key.startswith("aws:principaltag/"):
                return () if kind in _UNTAGGED else _tag(self.principal.tags, key)
            if ":resourcetag/" in key:
                return _tag(self.resource_tags, key)
            return None

        return value


_UNTAGGED: Final = (Kind.ANYONE, Kind.SERVICE, Kind.ROOT)
# A service that acts by itself is of no customer's account or organisation; why policies except it, see
# <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_data-perimeters.html>.
_OUTSIDE_ACCOUNTS: Final = (Kind.ANYONE, Kind.SERVICE)
_TYPES: Final = {Kind.ROLE: "AssumedRole", Kind.USER: "User", Kind.ROOT: "Account", Kind.ANYONE: "Anonymous"}


def _tag(tags: Mapping[str, str] | None, key: str) -> Values:
    if tags is None:
        return None
    wanted = key.partition("/")[2]
    return tuple(value for name, value in tags.items() if name.lower() == wanted)


def _principal_arn(request: Request) -> Values:
    principal = request.principal
    if principal.kind is Kind.ACCOUNT:
        return (f"arn:{anything('partition')}:{anything('service')}::{principal.account}:{anything('a principal')}",)
    if principal.kind in _OF_AN_ACCOUNT:
        return (principal.arn,)
    return () if principal.kind in _OUTSIDE_ACCOUNTS else None


def _principal_account(request: Request) -> Values:
    kind = request.principal.kind
    if kind in _OUTSIDE_ACCOUNTS:
        return ("anonymous" if kind is Kind.ANYONE else "of AWS",)
    return (request.principal.account,) if kind in _OF_AN_ACCOUNT else None


def _principal_type(request: Request) -> Values:
    return (_TYPES[request.principal.kind],) if request.principal.kind in _TYPES else None


def _user_name(request: Request) -> Values:
    kind = request.principal.kind
    if kind is Kind.USER:
        return (request.principal.arn.rpartition("/")[2],)
    return None if kind is Kind.ACCOUNT else ()


def _organisation(request: Request) -> Values:
    if request.principal.account == STRANGER:
        return ("a stranger's",)
    return () if request.principal.kind in _OUTSIDE_ACCOUNTS else None


def _of_services_only(request: Request) -> Values:
    return None if request.principal.kind is Kind.SERVICE else ()


def _region(request: Request) -> Values:
    parts = request.resource.split(":")
    return (parts[3],) if len(parts) > 3 and parts[3] else None  # noqa: PLR2004 - the region's place in an ARN


_OF_AN_ACCOUNT: Final = (Kind.ROLE, Kind.USER, Kind.ROOT, Kind.ACCOUNT)
_DERIVED: Final[Mapping[str, Callable[[Request], Values]]] = {
    "aws:principalarn": _principal_arn,
    "aws:principalaccount": _principal_account,
    "kms:calleraccount": _principal_account,
    "aws:principaltype": _principal_type,
    "aws:principalorgid": _organisation,
    "aws:principalorgpaths": _organisation,
    "aws:principalisawsservice": lambda r: ("true" if r.principal.kind is Kind.SERVICE else "false",),
    "aws:principalservicename": lambda r: (r.principal.arn,) if r.principal.kind is Kind.SERVICE else (),
    "aws:principalservicenameslist": _of_services_only,
    # A service that acts for somebody says for what: <https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html>.
    "aws:sourcearn": _of_services_only,
    "aws:sourceaccount": _of_services_only,
    "aws:sourceorgid": _of_services_only,
    "aws:sourceorgpaths": _of_services_only,
    "aws:username": _user_name,
    "aws:resourceaccount": lambda r: (r.resource_account,),
    "aws:requestedregion": _region,
}
