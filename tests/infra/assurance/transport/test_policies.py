"""A policy refuses plain text in whichever way it is written, and only if it refuses everybody everything."""

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.assurance.transport.policies import ANY_TLS, NOTHING, lowest_admitted
from tests.infra.assurance.transport.reading import Json

BUCKET = "arn:aws:s3:::b"
RESOURCES = (BUCKET, f"{BUCKET}/*")
PLAIN: Json = {"Bool": {"aws:SecureTransport": "false"}}
OLD: Json = {"NumericLessThan": {"s3:TlsVersion": 1.2}}


def _denial(condition: Json | None, **changes: Any) -> Json:
    statement: Json = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": list(RESOURCES)}
    return {**statement, **({"Condition": condition} if condition is not None else {}), **changes}


def _lowest(*statements: Json) -> str:
    return lowest_admitted({"Statement": list(statements)}, ("s3:*",), RESOURCES)


@pytest.mark.parametrize(
    "condition",
    [
        PLAIN,
        {"BoolIfExists": {"aws:securetransport": [False]}},
        {"StringEquals": {"aws:SecureTransport": "false"}},
        {"StringNotEquals": {"aws:SecureTransport": "true"}},
        {"StringLike": {"aws:SecureTransport": "f*"}},
        {"Null": {"s3:TlsVersion": "true"}},
    ],
)
def test_plain_text_is_refused_in_all_these_ways(condition: Json) -> None:
    assert _lowest(_denial(condition)) == ANY_TLS
    assert _lowest(_denial(condition), _denial(OLD)) == "TLSv1.2"


@pytest.mark.parametrize(
    "statement",
    [
        _denial(PLAIN, Effect="Allow"),
        _denial(PLAIN, Principal={"AWS": "arn:aws:iam::111122223333:root"}),
        _denial(PLAIN, Principal={"Service": "*"}),
        _denial(PLAIN, Action="s3:GetObject"),
        _denial(PLAIN, Action=["s3:Get*", "s3:Put*"]),
        _denial(PLAIN, Resource=BUCKET),
        _denial(PLAIN, Resource=f"{BUCKET}/*"),
        _denial(PLAIN, Resource=["arn:aws:s3:::other", "arn:aws:s3:::other/*"]),
        _denial({"Bool": {"aws:SecureTransport": "true"}}),
        _denial({**PLAIN, "StringEquals": {"aws:PrincipalAccount": "111122223333"}}),
        _denial({"Bool": {"aws:SecureTransport": "false", "aws:ViaAWSService": "false"}}),
        _denial(OLD),
        {**_denial(PLAIN), "NotAction": "s3:GetObject"},
        {**_denial(PLAIN), "NotResource": f"{BUCKET}/public/*"},
        {**_denial(PLAIN), "Principal": {}, "NotPrincipal": {"AWS": "*"}},
    ],
)
def test_plain_text_is_let_in_where_a_denial_leaves_something_out(statement: Json) -> None:
    assert _lowest(statement) == "none"


def test_a_denial_of_everything_lets_nothing_in() -> None:
    assert _lowest(_denial(None)) == NOTHING


def test_two_denials_of_half_each_are_whole() -> None:
    halves = [_denial(PLAIN, Resource=BUCKET), _denial(PLAIN, Resource=f"{BUCKET}/*")]
    assert _lowest(*halves) == ANY_TLS


# The oracle: IAM's table of condition operators, one case after the other, for one key at a time.
VERSIONS: dict[str, float | None] = {"none": None, ANY_TLS: 1.0, "TLSv1.1": 1.1, "TLSv1.2": 1.2, "TLSv1.3": 1.3}
BY_NUMBER: dict[str, Callable[[float | None, float], bool]] = {
    "NumericLessThan": lambda version, bound: version is not None and version < bound,
    "NumericLessThanEquals": lambda version, bound: version is not None and version <= bound,
    "NumericLessThanIfExists": lambda version, bound: version is None or version < bound,
    "NumericGreaterThan": lambda version, bound: version is not None and version > bound,
    "NumericEquals": lambda version, bound: version is not None and version == bound,
    "NumericNotEquals": lambda version, bound: version is None or version != bound,
}
BY_TEXT: dict[str, Callable[[bool, bool], bool]] = {
    "Bool": lambda secure, wanted: secure == wanted,
    "StringEquals": lambda secure, wanted: secure == wanted,
    "StringNotEquals": lambda secure, wanted: secure != wanted,
}
numbers = st.tuples(st.sampled_from(sorted(BY_NUMBER)), st.sampled_from([1.0, 1.1, 1.2, 1.3]))
flags = st.tuples(st.sampled_from(sorted(BY_TEXT)), st.booleans())
conditions = st.lists(st.tuples(st.none() | numbers, st.none() | flags), max_size=4)


@settings(max_examples=300, derandomize=True, deadline=None, database=None)
@given(conditions)
def test_what_is_admitted_is_what_no_denial_meets(
    denials: list[tuple[tuple[str, float] | None, tuple[str, bool] | None]],
) -> None:
    statements: list[Json] = []
    for number, flag in denials:
        condition: Json = {number[0]: {"s3:TlsVersion": number[1]}} if number else {}
        condition |= {flag[0]: {"aws:SecureTransport": str(flag[1]).lower()}} if flag else {}
        statements.append(_denial(condition))

    def met(version: float | None) -> bool:
        return any(
            (not number or BY_NUMBER[number[0]](version, number[1]))
            and (not flag or BY_TEXT[flag[0]](version is not None, flag[1]))
            for number, flag in denials
        )

    expected = next((name for name, version in VERSIONS.items() if not met(version)), NOTHING)
    assert _lowest(*statements) == expected


@pytest.mark.parametrize(("action", "resource"), list(product(["*", "s3:*", "S3:*"], ["*", f"{BUCKET}*"])))
def test_wildcards_cover_what_they_mean(action: str, resource: str) -> None:
    assert _lowest(_denial(PLAIN, Action=action, Resource=resource)) == ANY_TLS
