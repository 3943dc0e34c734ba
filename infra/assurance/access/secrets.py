"""Secrets, and who gets their values: who may ask for one *and* use the key that it is sealed with.

<https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html>. There are those of the
templates, their replicas, those that RDS keeps for its databases, and those that templates only name by ARN. Secrets
that are made while an application runs are named by the patterns of policies that cover no other secret: a pattern is
told like one secret, for whoever may do something to any that it covers. Which key those are sealed with, no template
tells: it keeps nobody away.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Final, NamedTuple

from infra.assurance.access.actors import Actor
from infra.assurance.access.desk import Desk, Question, sentence
from infra.assurance.access.guarded import Attached, Context, Doors, Guarded, concrete
from infra.assurance.access.keys import Keys, opens
from infra.assurance.access.policies.evaluate import Decision
from infra.assurance.access.policies.patterns import matches
from infra.assurance.access.reading import is_true, listed, reading, texts, within
from infra.assurance.facts import Fact, Relation
from infra.assurance.model.identity import managed_secret_arn
from infra.assurance.model.model import Model
from infra.assurance.model.resource import Resource

SECRET: Final = "AWS::SecretsManager::Secret"  # noqa: S105 - a type
DATABASES: Final = ("AWS::RDS::DBCluster", "AWS::RDS::DBInstance", "AWS::DocDB::DBCluster")
_POLICY: Final = Attached("AWS::SecretsManager::ResourcePolicy", "SecretId", "ResourcePolicy")
_PARAMETER: Final = "AWS::SSM::Parameter"
# Behind the name, six characters that Secrets Manager makes up; policies write wildcards for them.
_NAMED: Final = re.compile(r"arn:[a-z*-]+:secretsmanager:[a-z0-9*?-]+:(?:\d{12}|\*):secret:[^\"\\\s:,{}]+")
_ANY_SUFFIX: Final = re.compile(r"(-\?{6}|-?\*)$")
_SIX: Final = "-??????"
# What stands before the wildcard of a pattern for all secrets, or for all that RDS keeps for databases.
_ALL_OF_THEM: Final = (":", ":rds!")
_PARTITION, _REGION, _ACCOUNT = 1, 3, 4
_ARN_PARTS: Final = 7
_SUFFIX: Final = 7
ASKED: Final = "asked by"
"""Quality of a secret: who may ask for it, and only the key that it is sealed with keeps it."""
CHANGED: Final = "changed by"
"""Quality of a secret: who may write it, delete it or rewrite its policy."""
_DELETE: Final = "secretsmanager:DeleteSecret"
_WRITES: Final = tuple(
    f"secretsmanager:{name}" for name in ("PutSecretValue", "UpdateSecret", "PutResourcePolicy", "DeleteResourcePolicy")
)
# Qualities of secrets by who may do which of the actions: of those that templates make, and that are made later.
_MADE: Final = {CHANGED: (*_WRITES, _DELETE)}
_MADE_LATER: Final = {
    "made by": ("secretsmanager:CreateSecret",),
    CHANGED: _WRITES,
    "copied by": ("secretsmanager:ReplicateSecretToRegions",),
    "deleted by": (_DELETE,),
}


class Secret(NamedTuple):
    """Something secret that is stored: what guards it, and what to do to get it."""

    door: Guarded
    key: Guarded | None
    """None if its policy was refused, or no template tells which it is."""
    action: str
    service: str
    seal: Context
    """The encryption context that it is sealed in."""
    pattern: str = ""
    """What all those are called that are made later."""

    def arns(self, desk: Desk) -> list[str]:
        """Its ARN; of a pattern, one for each narrower one in anybody's policies, too."""
        if not self.pattern:
            return [self.door.arn]
        narrower = {concrete(each) for each in desk.patterns if ":secretsmanager:" in each}
        return [self.door.arn, *sorted(arn for arn in narrower - {self.door.arn} if matches(self.pattern, arn))]

    def is_named(self, arn: str) -> bool:
        """Whether an ARN or a pattern is its own; the six characters that end a secret's ARN may be left out."""
        own = self.door.arn
        return arn in {own, own[:-_SUFFIX]} or concrete(arn) == own or bool(matches(arn, own))


class Secrets:
    """The secrets of an assembly."""

    def __init__(self, model: Model, keys: Keys) -> None:
        self._model, self._keys = model, keys
        self._doors = Doors(model, {SECRET: ""}, (_POLICY,))
        self.all: list[Secret] = []
        for resource in model.of_type(SECRET):
            with reading(model, resource):
                self.all += self._kept(resource)
        for database in model.of_type(*DATABASES):
            with reading(model, database):
                self.all += self._managed(database)
        named: dict[str, Resource] = {}
        for resource, text in texts(model).items():
            for arn in _NAMED.findall(text) if ":secretsmanager:" in text else ():
                named.setdefault(arn, resource)
        for arn, resource in named.items():
            self._name(arn, resource, named)

    def of(self, value: str, near: Resource) -> Secret:
        """The secret, or the parameter, that a container's `ValueFrom` names.

        <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html>: behind the
        ARN of a secret may stand a key of its JSON and a version; a name without an ARN is a parameter's.
        """
        if ":secretsmanager:" not in value:
            return self._parameter(value, near)
        arn = ":".join(value.split(":")[:_ARN_PARTS])
        return next((secret for secret in self.all if secret.is_named(arn)), None) or self._add(arn, near)

    def _parameter(self, value: str, near: Resource) -> Secret:
        stack = near.stack
        arn = (
            value
            if value.startswith("arn:")
            else f"arn:{stack.partition}:ssm:{stack.region}:{stack.account}:parameter/"
        )
        arn = arn if value.startswith("arn:") else arn + value.removeprefix("/")
        own = self._model.find(arn, _PARAMETER)
        door = self._doors.of(own) if own else self._doors.named("parameter", arn, near)
        secret = Secret(door, None if own else self._keys.of(None, "ssm", near), "ssm:GetParameters", "ssm", {})
        self.all.append(secret)
        return secret

    def _kept(self, resource: Resource) -> Iterator[Secret]:
        door = self._doors.of(resource)
        yield self._secret(door, resource.value("KmsKeyId"))
        for replica in listed(resource.value("ReplicaRegions")):
            region = replica["Region"]
            arn = door.arn.replace(f":{resource.stack.region}:", f":{region}:")
            there = Guarded(
                f"{door.name} in {region}", arn, door.account, region, door.policy, door.evidence, context=door.context
            )
            yield self._secret(there, replica.get("KmsKeyId"))

    def _managed(self, database: Resource) -> Iterator[Secret]:
        if is_true(database.value("ManageMasterUserPassword")):
            door = self._doors.of(database, name=f"{database.name}/MasterUserSecret", arn=managed_secret_arn(database))
            yield self._secret(door, within(database.value("MasterUserSecret"), "KmsKeyId"))

    def _name(self, arn: str, resource: Resource, others: Collection[str]) -> None:
        """One that only its ARN tells of; a pattern of them; or the beginning of a pattern, told by that alone."""
        if _ANY_SUFFIX.sub("", arn).endswith(_ALL_OF_THEM):
            return
        if "*" in arn or "?" in arn.removesuffix(_SIX):
            if not any(secret.door.known and secret.is_named(arn) for secret in self.all):
                self.all.append(self._made_later(arn, resource))
        elif f"{arn}*" not in others and f"{arn}/*" not in others and not any(each.is_named(arn) for each in self.all):
            self._add(arn, resource)

    def _made_later(self, pattern: str, evidence: Resource) -> Secret:
        parts, stack = pattern.split(":"), evidence.stack
        for place, own in ((_PARTITION, stack.partition), (_REGION, stack.region), (_ACCOUNT, stack.account)):
            parts[place] = own if "*" in parts[place] else parts[place]
        arn = concrete(":".join(parts))
        door = self._doors.named("secret", arn, evidence)._replace(name=f"secret {pattern}")
        return self._secret(door, None)._replace(key=None, pattern=pattern)

    def _add(self, arn: str, evidence: Resource) -> Secret:
        """One that templates only name."""
        door = self._doors.named("secret", arn, evidence)
        secret = self._secret(door._replace(arn=concrete(arn)), None)
        self.all.append(secret)
        return secret

    def _secret(self, door: Guarded, key: object) -> Secret:
        found = self._keys.of(key, "secretsmanager", door.resource)
        return Secret(door, found, "secretsmanager:GetSecretValue", "secretsmanager", {"SecretARN": (door.arn,)})


def opened(desk: Desk, secrets: Iterable[Secret]) -> Iterator[Fact]:
    """Who gets the value of which secret; and who may ask for it, while its key is withheld."""
    for secret in secrets:
        door = secret.door
        for actor, decision in _answers(desk, secret, secret.action).items():
            steps = [sentence(actor, secret.action, door, decision)]
            if secret.key:
                via = f"{secret.service}.{door.region}.amazonaws.com"
                key = opens(desk, actor, secret.key, via, secret.seal)
                if not key.allowed:
                    evidence = (*actor.evidence, *door.evidence)
                    yield Fact(Relation.POSTURE, (door.name, ASKED, actor.name), evidence, tuple(steps))
                    continue
                steps.append(sentence(actor, "kms:Decrypt", secret.key, key))
            evidence = (*actor.evidence, *door.evidence, *(secret.key.evidence if secret.key else ()))
            yield Fact(Relation.OPENS, (actor.name, door.name), evidence, tuple(steps))


def changed(desk: Desk, secrets: Iterable[Secret]) -> Iterator[Fact]:
    """Who changes a secret of the templates, or who may read it; who makes, copies and deletes those made later."""
    for secret in secrets:
        door = secret.door
        if secret.service != "secretsmanager" or not (door.known or secret.pattern):
            continue
        for quality, actions in (_MADE_LATER if secret.pattern else _MADE).items():
            for action in actions:
                for actor, decision in _answers(desk, secret, action).items():
                    path = (sentence(actor, action, door, decision),)
                    evidence = (*actor.evidence, *door.evidence)
                    yield Fact(Relation.POSTURE, (door.name, quality, actor.name), evidence, path)


def _answers(desk: Desk, secret: Secret, action: str) -> dict[Actor, Decision]:
    found: dict[Actor, Decision] = {}
    for arn in secret.arns(desk):
        found |= desk.answers(Question(action, secret.door, resource=arn), besides=found)
    return found


def handed_over(model: Model, secrets: Secrets) -> list[Fact]:
    """What gets a secret's value from whoever started it: a task from ECS, any resource from CloudFormation."""
    found: list[Fact] = []
    for task in model.of_type("AWS::ECS::TaskDefinition"):
        with reading(model, task):
            for value in _values_from(task):
                secret = secrets.of(value, task)
                step = f"ECS hands the value of {secret.door.name} to the containers of {task.name}"
                values = (task.name, secret.door.name)
                found.append(Fact(Relation.OPENS, values, (task, *secret.door.evidence), (step,)))
    for resource, text in texts(model).items():
        if "{{resolve:s" in text:
            with reading(model, resource):
                found += _resolved(resource, text, secrets)
    return found


_DYNAMIC: Final = re.compile(r"\{\{resolve:(secretsmanager|ssm-secure):([^}]+)\}\}")


def _resolved(resource: Resource, text: str, secrets: Secrets) -> Iterator[Fact]:
    """<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html>."""
    for service, named in dict.fromkeys(_DYNAMIC.findall(text)):
        stack = resource.stack
        value = named
        if service == "secretsmanager" and not named.startswith("arn:"):
            value = f"arn:{stack.partition}:secretsmanager:{stack.region}:{stack.account}:secret:{named.split(':')[0]}"
        secret = secrets.of(value if service == "secretsmanager" else named.split(":")[0], resource)
        step = f"CloudFormation writes the value of {secret.door.name} into {resource.name}"
        yield Fact(Relation.OPENS, (resource.name, secret.door.name), (resource, *secret.door.evidence), (step,))


def _values_from(task: Resource) -> Iterator[str]:
    for container in listed(task.value("ContainerDefinitions")):
        options = within(container, "LogConfiguration", "SecretOptions")
        for secret in (*listed(container.get("Secrets")), *listed(options)):
            yield secret["ValueFrom"]
        if credentials := container.get("RepositoryCredentials"):
            yield credentials["CredentialsParameter"]
