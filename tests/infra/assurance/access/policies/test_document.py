"""Documents are read as IAM reads them; what IAM would not accept, or has no model here, is refused by name."""

import json
from typing import Any

import pytest

from infra.assurance.access.policies.document import Document
from infra.assurance.access.policies.patterns import anything
from infra.assurance.refusal import Refused

ALLOW = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}


def read(*statements: Any, version: str = "2012-10-17") -> Document:
    return Document.parse({"Version": version, "Statement": list(statements)}, "Shop/Role")


def test_one_value_is_a_list_of_one_and_names_of_elements_have_no_case() -> None:
    lower = {"effect": "Allow", "action": ["S3:GetObject"], "RESOURCE": ["*"], "Sid": "Read"}
    (statement,) = Document.parse({"statement": lower}, "Shop/Role").statements
    assert (statement.actions, statement.resources, statement.principals) == (("s3:getobject",), ("*",), None)
    assert str(statement) == "statement Read of Shop/Role"


@pytest.mark.parametrize(
    ("element", "action", "is_about"),
    [
        ({"Action": "s3:Get*"}, "s3:getobject", True),
        ({"Action": "s3:Get*"}, "S3:GetObject", True),
        ({"Action": "s3:Get?bject"}, "s3:GetObject", True),
        ({"Action": "s3:Get"}, "s3:GetObject", False),
        ({"Action": "*"}, "kms:Decrypt", True),
        ({"NotAction": ["iam:*", "s3:Put*"]}, "s3:GetObject", True),
        ({"NotAction": ["iam:*", "s3:Put*"]}, "s3:PutObject", False),
    ],
)
def test_a_statement_is_about_the_actions_it_names(element: dict[str, Any], action: str, *, is_about: bool) -> None:
    assert bool(read({"Effect": "Allow", "Resource": "*", **element}).about(action)) is is_about


def test_a_document_may_be_given_as_text() -> None:
    assert Document.parse(json.dumps({"Statement": ALLOW}), "Shop/Log").statements[0].allows
    with pytest.raises(Refused, match="no JSON"):
        Document.parse("{", "Shop/Log")


def test_an_action_that_only_a_deployment_knows_may_be_any_but_is_denied_to_nobody() -> None:
    action = f"s3:{anything('an action')}"
    assert read({**ALLOW, "Action": action}).about("s3:GetObject")
    assert not read({**ALLOW, "Action": action}).about("kms:Decrypt")
    assert not read({**ALLOW, "Effect": "Deny", "Action": action}).about("s3:GetObject")
    assert not read({"Effect": "Deny", "NotAction": action, "Resource": "*"}).about("s3:GetObject")


def test_whom_a_statement_names_is_told_by_kind() -> None:
    named = {"AWS": ["111122223333", "*"], "Service": "s3.amazonaws.com", "Federated": "arn:aws:iam::1:saml-provider/a"}
    (statement,) = read({**ALLOW, "Principal": named}).statements
    assert statement.principals == (
        ("AWS", "111122223333"),
        ("AWS", "*"),
        ("Service", "s3.amazonaws.com"),
        ("Federated", "arn:aws:iam::1:saml-provider/a"),
    )


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("Allow", "no JSON object"),
        ({**ALLOW, "Effect": "allow"}, "the effect allow"),
        ({"Effect": "Allow", "Resource": "*"}, "without an action"),
        ({**ALLOW, "NotAction": "s3:*"}, "both action and notaction"),
        ({**ALLOW, "Principals": "*"}, "Principals"),
        ({**ALLOW, "action": "s3:*"}, "the elements"),
        ({**ALLOW, "Action": "GetObject"}, "GetObject, which names no service"),
        ({**ALLOW, "Resource": [{"Ref": "Bucket"}]}, "resource"),
        ({**ALLOW, "Principal": "111122223333"}, "the principal 111122223333"),
        ({**ALLOW, "Principal": {"Aws": "*"}}, "of the kind Aws"),
        ({**ALLOW, "Principal": {"AWS": "arn:aws:iam::111122223333:role/*"}}, "no wildcard in a part"),
        ({**ALLOW, "Principal": {"AWS": "AROAEXAMPLEEXAMPLE23"}}, "whose id"),
        ({**ALLOW, "Principal": {"AWS": {"Ref": "Role"}}}, "the principal"),
        ({**ALLOW, "Condition": {"Null": {"aws:username": "yes"}}}, "yes is no value"),
        ({**ALLOW, "Principal": {"AWS": "everybody"}}, "the principal everybody"),
        ({**ALLOW, "Condition": {"StringLikes": {"aws:username": "a"}}}, "StringLikes"),
        ({**ALLOW, "Condition": {"NullIfExists": {"aws:username": "true"}}}, "NullIfExists"),
        ({**ALLOW, "Condition": {"NumericEquals": {"s3:max-keys": "ten"}}}, "ten is no value"),
        ({**ALLOW, "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/40"}}}, "10.0.0.0/40 is no value"),
        ({**ALLOW, "Condition": {"Bool": {"aws:SecureTransport": "yes"}}}, "yes is no value"),
        ({**ALLOW, "Condition": {"DateLessThan": {"aws:CurrentTime": "tomorrow"}}}, "tomorrow is no value"),
        ({**ALLOW, "Condition": {"StringEquals": "a"}}, "StringEquals"),
        ({**ALLOW, "Condition": {"StringEquals": {"aws:username": {"Ref": "User"}}}}, "no texts"),
        ({**ALLOW, "Condition": "a"}, "the condition a"),
    ],
)
def test_what_is_not_understood_is_refused_and_named(statement: Any, named: str) -> None:
    with pytest.raises(Refused, match="Shop/Role") as refused:
        read(statement)
    assert named in str(refused.value)


def test_a_version_that_iam_does_not_have_is_refused() -> None:
    with pytest.raises(Refused, match="2020-01-01"):
        read(ALLOW, version="2020-01-01")
