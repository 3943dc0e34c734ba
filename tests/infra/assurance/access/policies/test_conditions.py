"""Conditions hold as IAM says; with a key that is not known, they may."""

from collections.abc import Mapping
from typing import Any

import pytest

from infra.assurance.access.policies.conditions import Condition
from infra.assurance.access.policies.patterns import anything
from infra.assurance.access.policies.truth import MAYBE, NO, YES, Truth

TAGS = {"aws:tagkeys": ("team", "stage")}


def holds(operator: str, key: str, values: Any, request: Mapping[str, tuple[str, ...]]) -> Truth:
    condition = Condition.parse(operator, key, values if isinstance(values, list) else [values], "Shop/Role")  # pyright: ignore[reportUnknownArgumentType]
    return condition.holds(request.get)


@pytest.mark.parametrize(
    ("operator", "values", "given", "truth"),
    [
        ("StringEquals", ["a", "b"], "b", YES),
        ("StringEquals", "a*", "ab", NO),
        ("StringEqualsIgnoreCase", "A", "a", YES),
        ("StringNotEquals", ["a", "b"], "b", NO),
        ("StringNotEquals", ["a", "b"], "c", YES),
        ("StringLike", "a?c*", "abcd", YES),
        ("StringNotLike", "a*", "abc", NO),
        ("stringlike", "a*", "abc", YES),
        ("NumericLessThanEquals", 10, "10.0", YES),
        ("NumericGreaterThan", "10", "9", NO),
        ("NumericEquals", "10", "ten", NO),
        ("DateGreaterThan", "2026-01-01T00:00:00Z", "1790000000", YES),
        ("DateLessThan", "2026-01-01", "2025-12-31T23:59:59Z", YES),
        ("Bool", True, "true", YES),
        ("Bool", "TRUE", "false", NO),
        ("BinaryEquals", "QmluYXJ5", "QmluYXJ5", YES),
        ("IpAddress", "10.0.0.0/8", "10.9.9.9", YES),
        ("IpAddress", "10.1.2.3/8", "10.9.9.9", YES),
        ("IpAddress", "10.0.0.0/8", "a host", NO),
        ("IpAddress", "0.0.0.0/0", "2001:db8::1", NO),
        ("IpAddress", "2001:db8::/32", "2001:db8::1", YES),
        # The simulator that decisions are held against takes 0.0.0.0/0 for nothing; AWS takes CIDR as RFC 4632 has it.
        ("NotIpAddress", ["0.0.0.0/0", "10.0.0.0/8"], "203.0.113.9", NO),
        ("ArnLike", "arn:aws:s3:::data*", "arn:aws:s3:::data-1", YES),
        ("ArnEquals", "arn:aws:sns:*:1:topic", "arn:aws:sns:eu-central-1:1:topic", YES),
        ("ArnNotLike", "arn:aws:s3:::data*", "arn:aws:s3:::data-1", NO),
        ("Null", "true", "a", NO),
        ("Null", "false", "a", YES),
        ("Null", ["true", "false"], "a", YES),
    ],
)
def test_operators_compare_as_documented(operator: str, values: Any, given: str, truth: Truth) -> None:
    assert holds(operator, "A:Key", values, {"a:key": (given,)}) is truth


@pytest.mark.parametrize(
    ("operator", "truth"),
    [
        ("StringEquals", NO),
        ("StringNotEquals", YES),
        ("StringLikeIfExists", YES),
        ("StringNotLikeIfExists", YES),
        ("ForAllValues:StringEquals", YES),
        ("ForAnyValue:StringEquals", NO),
        ("ForAnyValue:StringNotEquals", NO),
        ("ForAnyValue:StringEqualsIfExists", MAYBE),
    ],
)
def test_a_key_that_a_request_lacks_fits_only_what_does_not_need_it(operator: str, truth: Truth) -> None:
    assert holds(operator, "a:key", "a", {"a:key": ()}) is truth
    assert holds("Null", "a:key", "true", {"a:key": ()}) is YES
    assert holds("Null", "a:key", "false", {"a:key": ()}) is NO


@pytest.mark.parametrize(
    "operator", ["StringEquals", "StringNotLike", "ForAllValues:StringEquals", "BoolIfExists", "Null"]
)
def test_a_key_that_is_not_known_may_hold_anything(operator: str) -> None:
    assert holds(operator, "a:key", "true", {}) is MAYBE


@pytest.mark.parametrize(
    ("operator", "values", "truth"),
    [
        ("ForAllValues:StringEquals", ["team", "stage", "cost"], YES),
        ("ForAllValues:StringEquals", ["team"], NO),
        ("ForAllValues:StringNotEquals", ["cost"], YES),
        ("ForAnyValue:StringEquals", ["team"], YES),
        ("ForAnyValue:StringLike", ["c*"], NO),
        ("ForAnyValue:StringNotEquals", ["team"], YES),
        ("ForAnyValue:StringNotEquals", ["team", "stage"], NO),
        ("StringEquals", ["team"], MAYBE),
    ],
)
def test_of_several_values_as_many_have_to_fit_as_the_quantifier_says(
    operator: str, values: list[str], truth: Truth
) -> None:
    assert holds(operator, "aws:TagKeys", values, TAGS) is truth


@pytest.mark.parametrize(
    ("operator", "value", "truth"),
    [
        ("StringEquals", "${aws:username}", YES),
        ("StringEquals", "${AWS:UserName}", YES),
        ("StringLike", "${aws:username}*", YES),
        ("StringEquals", "${aws:userid}", MAYBE),
        ("StringEquals", "${aws:none}", NO),
        ("StringEquals", "${aws:none, 'a*'}", YES),
        ("StringLike", "a${*}", YES),
        ("StringLike", "${*}*", NO),
        ("StringNotEquals", "${aws:none}", MAYBE),
    ],
)
def test_variables_are_what_the_request_says(operator: str, value: str, truth: Truth) -> None:
    request = {"aws:username": ("a*",), "aws:none": (), "a:key": ("a*",)}
    assert holds(operator, "a:key", value, request) is truth


def test_a_star_in_a_variable_s_value_is_no_wildcard() -> None:
    assert holds("StringLike", "a:key", "${aws:username}", {"aws:username": ("a*",), "a:key": ("ab",)}) is NO


def test_in_documents_of_the_first_version_variables_are_plain_text() -> None:
    condition = Condition.parse("StringEquals", "a:key", ["${aws:username}"], "Shop/Role")
    request = {"aws:username": ("ann",), "a:key": ("ann",)}
    assert condition.holds(request.get, variables=False) is NO


def test_what_only_a_deployment_knows_may_fit_whatever_the_operator() -> None:
    vpc = anything("VPC")
    assert holds("StringEquals", "aws:SourceVpc", vpc, {"aws:sourcevpc": ("vpc-1",)}) is MAYBE
    assert holds("StringEquals", "aws:SourceVpc", vpc, {"aws:sourcevpc": (vpc,)}) is YES
    assert holds("StringNotEquals", "aws:SourceVpc", "vpc-1", {"aws:sourcevpc": (vpc,)}) is MAYBE
    assert holds("NumericEquals", "s3:max-keys", vpc, {"s3:max-keys": ("1",)}) is MAYBE
    assert holds("IpAddress", "aws:SourceIp", "10.0.0.0/8", {"aws:sourceip": (vpc,)}) is MAYBE
