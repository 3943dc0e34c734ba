"""Roles: who takes up which, and who hands one to a service.

A role is taken up by whom its trust policy admits; who is only admitted by account needs leave of their own, too:
<https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_terms-and-concepts.html>. Who may rewrite a trust policy can
admit themselves, so they count as well. A root user takes up no role; that it may rewrite everything in its account
goes without saying and makes no row.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from infra.assurance.access.actors import Actor
from infra.assurance.access.attachments import ROLE
from infra.assurance.access.desk import Desk, Question, sentence
from infra.assurance.access.guarded import Doors, Guarded
from infra.assurance.access.policies.document import Statement
from infra.assurance.access.policies.evaluate import Decision, Kind, ResourceKind
from infra.assurance.access.policies.patterns import matches_arn
from infra.assurance.facts import Fact, Relation
from infra.assurance.model.identity import unknown
from infra.assurance.model.model import Model

ASSUME: Final = "sts:AssumeRole"
PASS: Final = "iam:PassRole"  # noqa: S105 - an action
REWRITE: Final = "iam:UpdateAssumeRolePolicy"
TO_ANY_SERVICE: Final = "handed to any service by"
"""Quality of a role: who passes it with no word on which service may have it."""
_ANY_SERVICE: Final = {"iam:PassedToService": ("some-service.amazonaws.com",)}
_WAYS: Final = (ASSUME, "sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML")
# What a role is passed for: actions that start something that acts as the role.
STARTS: Final = (
    "autoscaling:CreateAutoScalingGroup", "batch:RegisterJobDefinition", "bedrock:CreateAgent",
    "cloudformation:CreateStack", "codebuild:CreateProject", "codepipeline:CreatePipeline", "ec2:RunInstances",
    "ecs:RegisterTaskDefinition", "ecs:RunTask", "ecs:StartTask", "ecs:CreateService",
    "eks:CreatePodIdentityAssociation", "events:PutTargets", "glue:CreateJob", "lambda:CreateFunction",
    "lambda:UpdateFunctionConfiguration", "sagemaker:CreateNotebookInstance", "scheduler:CreateSchedule",
    "ssm:StartAutomationExecution", "states:CreateStateMachine",
)  # fmt: skip


def roles(model: Model) -> list[Guarded]:
    """The roles of the templates, each behind its trust policy."""
    return Doors(model, {ROLE: "AssumeRolePolicyDocument"}).known()


def assumed(desk: Desk, model: Model, found: list[Guarded]) -> Iterator[Fact]:
    """Who takes up which role."""
    for role in found:
        for action in _WAYS:
            answers = desk.answers(Question(action, role, ResourceKind.ROLE))
            yield from _rows(Relation.ASSUMES, model, answers, role, action)
        answers = _by_identity(desk, REWRITE, _plain(role))
        rewriting = {actor: why for actor, why in answers.items() if actor.name != role.name}
        for fact in _rows(Relation.ASSUMES, model, rewriting, role, REWRITE):
            yield Fact(
                fact.relation,
                fact.values,
                fact.evidence,
                (*fact.path, "who may rewrite a trust policy admits themselves"),
            )
    yield from _elsewhere(desk, ASSUME, Relation.ASSUMES, found)


def passed(desk: Desk, found: list[Guarded]) -> Iterator[Fact]:
    """Who hands which role to a service."""
    starting = {action: frozenset(desk.own(action)) for action in STARTS}
    for role in found:
        plain = _plain(role)
        for actor, decision in _by_identity(desk, PASS, plain).items():
            starts = [action for action, able in starting.items() if actor in able]
            step = sentence(actor, PASS, role, decision) + _condition(decision.because)
            path = (step, f"{actor.name} may {', '.join(starts)}") if starts else (step,)
            yield Fact(Relation.PASSES, (actor.name, role.name), (*actor.evidence, *role.evidence), path)
            if desk.ask(actor, Question(PASS, plain, context=_ANY_SERVICE)).allowed:
                values = (role.name, TO_ANY_SERVICE, actor.name)
                yield Fact(Relation.POSTURE, values, (*actor.evidence, *role.evidence), path)
    yield from _elsewhere(desk, PASS, Relation.PASSES, found)


def _by_identity(desk: Desk, action: str, plain: Guarded) -> Mapping[Actor, Decision]:
    """Who may by their own policies, which alone count for a role as a resource."""
    answers = desk.answers(Question(action, plain))
    return {actor: why for actor, why in answers.items() if actor.principal.kind is not Kind.ROOT}


def _plain(role: Guarded) -> Guarded:
    return role._replace(policy=None)


def _rows(
    relation: Relation, model: Model, answers: Mapping[Actor, Decision], role: Guarded, action: str
) -> Iterator[Fact]:
    for actor, decision in answers.items():
        evidence = (*actor.evidence, *role.evidence)
        yield Fact(
            relation, (who(model, actor, decision), role.name), evidence, (sentence(actor, action, role, decision),)
        )


def who(model: Model, actor: Actor, decision: Decision) -> str:
    """How a row calls an actor: with the conditions on it, if somebody else says who it is."""
    if actor.principal.kind is not Kind.FEDERATED:
        return actor.name
    provider = model.find(actor.principal.arn)
    return f"federated {provider.name if provider else actor.principal.arn}{_condition(decision.because)}"


def _condition(statement: Statement | None) -> str:
    conditions = " and ".join(map(str, statement.conditions)) if statement else ""
    return f" if {conditions}" if conditions else ""


def _elsewhere(desk: Desk, action: str, relation: Relation, found: list[Guarded]) -> Iterator[Fact]:
    """Roles that no template makes, as somebody's own policies name them: by ARN, or all that a wildcard covers."""
    known = [role.arn for role in found]
    for actor in desk.own(action):
        for pattern in dict.fromkeys(_covered(actor, action)):
            if "*" not in pattern and any(matches_arn(pattern, arn) for arn in known):
                continue
            arn = (
                pattern.replace("*", unknown("any"))
                if pattern != "*"
                else f"arn:aws:iam::{actor.principal.account}:role/{unknown('any')}"
            )
            account = arn.split(":")[4] or actor.principal.account
            door = Guarded(f"role {pattern}", arn, account, "", known=False)
            kind = ResourceKind.ROLE if action == ASSUME else ResourceKind.ORDINARY
            if (decision := desk.ask(actor, Question(action, door, kind))).allowed:
                path = (sentence(actor, action, door, decision) + _condition(decision.because),)
                yield Fact(relation, (actor.name, door.name), actor.evidence, path)


def _covered(actor: Actor, action: str) -> Iterator[str]:
    for statement in actor.principal.about(action):
        if statement.allows:
            yield from statement.resources or ("*",)
