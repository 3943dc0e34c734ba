"""Small templates of rights, and the facts that are computed from them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.assurance.access.facts import access, broad
from infra.assurance.facts import Fact, Relation
from infra.assurance.model.model import read_models
from tests.infra.assurance.assembly import write

HOME = "111122223333"
FOREIGN = "999988887777"
Resources = dict[str, Any]


class Answer:
    """What was computed: facts, and what was refused, as lines."""

    def __init__(self, folder: Path) -> None:
        models = read_models(folder)
        self.facts = [fact for model in models for fact in (*access(model), *broad(model))]
        self.refused = [str(refused) for refused in models[0].refusals]

    def of(self, relation: Relation) -> set[tuple[str, ...]]:
        """The rows of a relation, with the names that a template gives: `Role`, not `AWS::IAM::Role Role`."""
        return {tuple(map(_short, fact.values)) for fact in self.facts if fact.relation is relation}

    def told(self, *qualities: str) -> set[tuple[str, ...]]:
        """The rows of `posture` with one of the qualities."""
        return {row for row in self.of(Relation.POSTURE) if row[1] in qualities}

    def row(self, relation: Relation, *values: str) -> Fact:
        """The fact of that row."""
        return next(
            fact for fact in self.facts if fact.relation is relation and tuple(map(_short, fact.values)) == values
        )


def _short(name: str) -> str:
    head, _, last = name.rpartition(" ")
    return last if "::" in head.rpartition(" ")[2] else name


def asked(folder: Path, *templates: Resources) -> Answer:
    """The facts of one account, with a stack for each template's resources."""
    stacks: Mapping[str, Any] = {f"stack{number}": {"Resources": one} for number, one in enumerate(templates)}
    return Answer(write(folder, stacks, account=HOME))


def allow(action: str | list[str], resource: Any = "*", **more: Any) -> Resources:
    """A statement."""
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def policy(*statements: Resources) -> Resources:
    """A document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def role(*statements: Resources, trusts: Any = None, **properties: Any) -> Resources:
    """A role with an inline policy; ECS tasks take it up, if nobody else is said."""
    trust = {
        "Effect": "Allow",
        "Principal": trusts or {"Service": "ecs-tasks.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    inline = [{"PolicyName": "own", "PolicyDocument": policy(*statements)}] if statements else []
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {"AssumeRolePolicyDocument": policy(trust), "Policies": inline, **properties},
    }


def key(*statements: Resources, account: str = HOME) -> Resources:
    """A key that leaves everything to its account, and what else is said."""
    root = allow("kms:*", Principal={"AWS": f"arn:aws:iam::{account}:root"})
    return {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": policy(root, *statements)}}


def arn(name: str) -> Resources:
    """Of a resource beside."""
    return {"Fn::GetAtt": [name, "Arn"]}
