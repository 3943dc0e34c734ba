"""Secrets, and who gets their values: who may ask for one *and* use the key that it is sealed with.

<https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html>. There are those of the
templates, their replicas, those that RDS keeps for its databases, and those that templates only name by ARN.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from infra.assurance.access.desk import Desk, Question, sentence
from infra.assurance.access.guarded import Attached, Context, Doors, Guarded, concrete
from infra.assurance.access.keys import Keys, opens
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
_NAMED: Final = re.compile(r"arn:[a-z-]+:secretsmanager:[a-z0-9-]+:\d{12}:secret:[^\"\\\s:,{}]+")
_ANY_SUFFIX: Final = re.compile(r"(-\?{6}|-?\*)$")
_ARN_PARTS: Final = 7
_SUFFIX: Final = 7
ASKED: Final = "asked by"
"""Quality of a secret: who may ask for it, and only the key that it is sealed with keeps it."""
CHANGED: Final = "changed by"
"""Quality of a secret: who may write it, delete it or rewrite its policy."""
_CHANGES: Final = tuple(
    f"secretsmanager:{name}"
    for name in ("PutSecretValue", "UpdateSecret", "PutResourcePolicy", "DeleteResourcePolicy", "DeleteSecret")
)


@dataclass(frozen=True, eq=False)
class Secret:
    """Something secret that is stored: what guards it, and what to do to get it."""

    door: Guarded
    key: Guarded | None
    """None if its policy was refused."""
    action: str
    service: str
    seal: Context
    """The encryption context that it is sealed in."""

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
        for resource, text in texts(model).items():
            if ":secretsmanager:" in text:
                self._name(text, resource)

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

    def _name(self, text: str, resource: Resource) -> None:
        for arn in dict.fromkeys(_NAMED.findall(text)):
            stem = _ANY_SUFFIX.sub("", arn)
            if "*" in stem or "?" in stem or stem.endswith(":"):
                continue  # no secret of its own
            if not any(secret.is_named(arn) for secret in self.all):
                door = self._doors.named("secret", arn, resource)
                plain = Guarded(
                    door.name, concrete(arn), door.account, door.region, door.policy, door.evidence, known=False
                )
                self.all.append(self._secret(plain, None))

    def _add(self, arn: str, evidence: Resource) -> Secret:
        """One that templates only name."""
        door = self._doors.named("secret", arn, evidence)
        secret = self._secret(replace(door, arn=concrete(arn)), None)
        self.all.append(secret)
        return secret

    def _secret(self, door: Guarded, key: object) -> Secret:
        found = self._keys.of(key, "secretsmanager", door.resource)
        return Secret(door, found, "secretsmanager:GetSecretValue", "secretsmanager", {"SecretARN": (door.arn,)})


def opened(desk: Desk, secrets: Iterable[Secret]) -> Iterator[Fact]:
    """Who gets the value of which secret; and who may ask for it, while its key is withheld."""
    for secret in secrets:
        door = secret.door
        for actor, decision in desk.answers(Question(secret.action, door)).items():
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
    """Who changes a secret of the templates, or who may read it."""
    for secret in secrets:
        door = secret.door
        if not door.known or secret.service != "secretsmanager":
            continue
        for action in _CHANGES:
            for actor, decision in desk.answers(Question(action, door)).items():
                path = (sentence(actor, action, door, decision),)
                evidence = (*actor.evidence, *door.evidence)
                yield Fact(Relation.POSTURE, (door.name, CHANGED, actor.name), evidence, path)


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
