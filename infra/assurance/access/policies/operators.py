"""What each condition operator compares, and how.

<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>. A comparison
raises `ValueError` for a policy's value that is no value of its kind.
"""

import operator
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from ipaddress import ip_network
from typing import Any, Final, NamedTuple, TypeAlias

from infra.assurance.access.policies.patterns import literal, matches, matches_arn
from infra.assurance.access.policies.truth import NO, YES, Truth

Comparison: TypeAlias = Callable[[str, str], Truth]
"""Policy's value, request's value → whether they fit."""


class Operator(NamedTuple):
    """A comparison, `negated` if it asks for no match; `is_text` if variables and unknown parts mean something."""

    compare: Comparison
    negated: bool = False
    is_text: bool = False


@cache
def _equal(policy: str, request: str) -> Truth:
    return matches(literal(policy), request)


@cache
def _equal_ignoring_case(policy: str, request: str) -> Truth:
    return matches(literal(policy).lower(), request.lower())


def _number(text: str) -> Decimal:
    try:
        return Decimal(text.strip())
    except InvalidOperation as error:
        raise ValueError(text) from error


def _moment(text: str) -> datetime:
    """ISO 8601, or seconds since 1970."""
    try:
        return datetime.fromtimestamp(float(text), UTC)
    except ValueError:
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _truth_value(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise ValueError(text)
    return text.lower() == "true"


def _ordered(parse: Callable[[str], Any], holds: Callable[[Any, Any], bool]) -> Comparison:
    def compare(policy: str, request: str) -> Truth:
        wanted = parse(policy)
        try:
            given = parse(request)
        except ValueError:
            return NO
        return YES if holds(given, wanted) else NO

    return compare


def _within(policy: str, request: str) -> Truth:
    network = ip_network(policy, strict=False)
    try:
        given = ip_network(request, strict=False)
    except ValueError:
        return NO
    inside = given.version == network.version and given.subnet_of(network)  # pyright: ignore[reportArgumentType] - same version
    return YES if inside else NO


def _both_ways(name: str, negative: str, compare: Comparison, *, is_text: bool = False) -> dict[str, Operator]:
    return {name: Operator(compare, is_text=is_text), negative: Operator(compare, negated=True, is_text=is_text)}


def _orders(kind: str, parse: Callable[[str], Any]) -> dict[str, Operator]:
    return {
        **_both_ways(f"{kind}Equals", f"{kind}NotEquals", _ordered(parse, operator.eq)),
        f"{kind}LessThan": Operator(_ordered(parse, operator.lt)),
        f"{kind}LessThanEquals": Operator(_ordered(parse, operator.le)),
        f"{kind}GreaterThan": Operator(_ordered(parse, operator.gt)),
        f"{kind}GreaterThanEquals": Operator(_ordered(parse, operator.ge)),
    }


_BY_NAME: Final = {
    **_both_ways("StringEquals", "StringNotEquals", _equal, is_text=True),
    **_both_ways("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", _equal_ignoring_case, is_text=True),
    **_both_ways("StringLike", "StringNotLike", matches, is_text=True),
    **_both_ways("ArnEquals", "ArnNotEquals", matches_arn, is_text=True),
    **_both_ways("ArnLike", "ArnNotLike", matches_arn, is_text=True),
    **_orders("Numeric", _number),
    **_orders("Date", _moment),
    "Bool": Operator(_ordered(_truth_value, operator.eq)),
    "BinaryEquals": Operator(_equal),
    **_both_ways("IpAddress", "NotIpAddress", _within),
}

OPERATORS: Final[Mapping[str, Operator]] = {name.lower(): each for name, each in _BY_NAME.items()}
"""By lower-case name."""
