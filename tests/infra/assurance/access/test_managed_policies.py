"""The copies of AWS's policies are what AWS publishes, and are understood."""

import pytest

from infra.assurance.access.managed_policies import FOLDER, aws_managed
from infra.assurance.access.policies.document import Document
from tests.infra.assurance.access.managed import published

NAMES = sorted(file.stem for file in FOLDER.glob("*.json"))


def test_the_copies_are_as_published() -> None:
    differing = [name for name, text in published().items() if (FOLDER / f"{name}.json").read_text() != text]
    assert not differing, "write them anew: .venv/bin/python -m tests.infra.assurance.access.managed"


@pytest.mark.parametrize("partition", ["aws", "aws-cn"])
def test_every_copy_is_understood(partition: str) -> None:
    for name in NAMES:
        arn = f"arn:{partition}:iam::aws:policy/{name}"
        assert Document.parse(aws_managed(arn), arn).statements
        assert partition == "aws" or '"arn:aws:' not in str(aws_managed(arn)).replace("'", '"')


def test_a_policy_without_a_copy_has_no_text() -> None:
    assert aws_managed("arn:aws:iam::aws:policy/NeverHeardOf") is None
    assert aws_managed("arn:aws:iam::aws:policy/../managed_policies") is None
