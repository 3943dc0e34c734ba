"""Rights without bounds show, even where nothing of their kind is in the templates."""

from pathlib import Path

import pytest

from tests.infra.assurance.access.asked import Resources, allow, asked, role


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (allow("*"), {("unlimited rights", "* on *")}),
        (allow("secretsmanager:*"), {("unlimited rights", "secretsmanager:* on *")}),
        (allow("ec2:*"), {("unlimited rights", "ec2:* on *")}),
        (allow("kms:Decrypt", "arn:aws:kms:*:*:key/*"), {("unlimited rights", "kms:decrypt on arn:aws:kms:*:*:key/*")}),
        (allow("s3:GetObject", "arn:aws:s3:::*/*"), {("unlimited rights", "s3:getobject on arn:aws:s3:::*/*")}),
        (allow("s3:GetObject", "arn:aws:s3:::shelf/*"), set[tuple[str, str]]()),
        (allow("ec2:DescribeVpcs"), set[tuple[str, str]]()),
        (allow("kms:DescribeKey"), set[tuple[str, str]]()),
        (
            {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"},
            {("unlimited rights", "all but iam:* on *")},
        ),
        (
            {"Effect": "Allow", "Action": "s3:Get*", "NotResource": "arn:aws:s3:::shelf/*"},
            {("unlimited rights", "s3:get* on all but arn:aws:s3:::shelf/*")},
        ),
        (
            allow("iam:PutRolePolicy", "arn:aws:iam::1:role/a", Condition={"Bool": {"aws:a": "true"}}),
            {("may give rights", "iam:putrolepolicy on arn:aws:iam::1:role/a if Bool aws:a true")},
        ),
        (allow("iam:Put*", "arn:aws:iam::1:role/a"), {("may give rights", "iam:put* on arn:aws:iam::1:role/a")}),
        ({"Effect": "Deny", "Action": "*", "Resource": "*"}, set[tuple[str, str]]()),
    ],
)
def test_a_statement_without_bounds_is_told(tmp_path: Path, statement: Resources, said: set[tuple[str, str]]) -> None:
    rows = asked(tmp_path, {"Role": role(statement)}).told("unlimited rights", "may give rights")
    assert rows == {("Role", *row) for row in said}
