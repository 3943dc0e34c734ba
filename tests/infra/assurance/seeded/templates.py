"""Templates of an assembly, to be changed: resources are found by type and by what they mean, never by their names."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from infra.assurance.model.identity import managed_secret_arn
from infra.assurance.model.model import read_models
from infra.assurance.model.resource import Resource

DATABASES = ("AWS::RDS::DBCluster", "AWS::RDS::DBInstance")
LOAD_BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"


class Templates:
    """The stage with most resources is what is changed first: an application's largest environment."""

    def __init__(self, folder: Path) -> None:
        self.model = read_models(folder)[0]
        sizes = Counter(resource.stack.stage for resource in self.model.resources)
        self._stages = [stage for stage, _ in sizes.most_common()]
        self._changed: dict[Path, dict[str, Any]] = {}

    def all(self, *types: str) -> list[Resource]:
        """The resources of the types, those of the largest environment first."""
        found = self.model.of_type(*types)
        return sorted(found, key=lambda resource: self._stages.index(resource.stack.stage))

    def one(self, *types: str) -> Resource:
        """The first of them."""
        return self.all(*types)[0]

    @property
    def database(self) -> Resource:
        """The one that people's data is in."""
        return self.one(*DATABASES)

    @property
    def load_balancer(self) -> Resource:
        """The public one."""
        return self.one(LOAD_BALANCER)

    @property
    def secret(self) -> Resource:
        """A secret that the templates make."""
        return self.one("AWS::SecretsManager::Secret")

    @property
    def database_secret(self) -> tuple[str, str, Any]:
        """The secret with the database's password: what facts call it, its ARN, and its key's.

        RDS keeps one itself, or the database is given the value of another.
        """
        database = self.database
        if managed := database.value("MasterUserSecret"):
            return f"{database.name}/MasterUserSecret", managed_secret_arn(database), managed["KmsKeyId"]
        return self.secret.name, self.secret.arn, self.secret.value("KmsKeyId")

    @property
    def service(self) -> Resource:
        """A service that runs behind the load balancer."""
        return next(service for service in self.all("AWS::ECS::Service") if service.value("LoadBalancers"))

    @property
    def task(self) -> Resource:
        """What that service runs."""
        return self.named(self.service, "AWS::ECS::TaskDefinition")

    @property
    def task_role(self) -> Resource:
        """What that may do."""
        return self.found(self.task.value("TaskRoleArn"), "AWS::IAM::Role")

    def found(self, value: object, *types: str) -> Resource:
        """What a resolved value names."""
        resource = self.model.find(value, *types)
        assert resource, f"nothing is named {value}"
        return resource

    def named(self, resource: Resource, *types: str) -> Resource:
        """The first resource of the types that another one names in its properties."""
        return next(
            found for text in _texts(resource.properties) if (found := self.model.find(text, *types)) is not None
        )

    def group(self, resource: Resource) -> Resource:
        """The security group that a resource wears."""
        return self.named(resource, "AWS::EC2::SecurityGroup")

    def body(self, resource: Resource) -> dict[str, Any]:
        """A resource as its template has it, to be changed."""
        return self._template(resource)["Resources"][resource.logical_id]

    def properties(self, resource: Resource) -> dict[str, Any]:
        """Its properties."""
        return self.body(resource).setdefault("Properties", {})

    def containers(self, task: Resource) -> dict[str, Any]:
        """The first container of a task definition."""
        return self.properties(task)["ContainerDefinitions"][0]

    def add(self, beside: Resource, logical_id: str, type_: str, **properties: Any) -> str:
        """Add a resource to the template that another one is in; what it is called in facts."""
        self._template(beside)["Resources"][logical_id] = {"Type": type_, "Properties": properties}
        return f"{type_} {logical_id}"

    def template(self, beside: Resource) -> dict[str, Any]:
        """The template that a resource is in."""
        return self._template(beside)

    def remove(self, resource: Resource) -> None:
        """Take a resource away."""
        del self._template(resource)["Resources"][resource.logical_id]

    def ref(self, resource: Resource, beside: Resource) -> Any:
        """`Ref` of a resource, or its value where another template has no name for it."""
        return {"Ref": resource.logical_id} if resource.stack is beside.stack else resource.ref

    def arn(self, resource: Resource, beside: Resource) -> Any:
        """Its ARN likewise."""
        same = resource.stack is beside.stack
        return {"Fn::GetAtt": [resource.logical_id, "Arn"]} if same else resource.arn

    def admit(self, group: Resource, **rule: Any) -> str:
        """A rule of its own that admits something more into a group; the rule's logical id."""
        return self._rule(group, "AWS::EC2::SecurityGroupIngress", rule)

    def let_out(self, group: Resource, **rule: Any) -> str:
        """A rule of its own that lets something more out of a group; likewise."""
        return self._rule(group, "AWS::EC2::SecurityGroupEgress", rule)

    def _rule(self, group: Resource, type_: str, rule: Mapping[str, Any]) -> str:
        resources = self._template(group)["Resources"]
        logical_id = f"Added{len(resources)}"
        properties = {"GroupId": {"Ref": group.logical_id}, "IpProtocol": "tcp", **rule}
        resources[logical_id] = {"Type": type_, "Properties": properties}
        return logical_id

    def grant(self, role: Resource, *actions: str, resource: Any = "*", **more: Any) -> None:
        """A policy of its own that allows a role something more."""
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource, **more}
        resources = self._template(role)["Resources"]
        resources[f"Added{len(resources)}"] = {
            "Type": "AWS::IAM::Policy",
            "Properties": {
                "PolicyName": "added",
                "Roles": [{"Ref": role.logical_id}],
                "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]},
            },
        }

    def add_stack(self, beside: Resource, name: str, template: Mapping[str, Any]) -> None:
        """Add a stack to the assembly, in the same stage, account and region as another one."""
        stack = beside.stack
        folder = stack.file.parent
        (folder / f"{name}.template.json").write_text(json.dumps(template))
        manifest = json.loads((folder / "manifest.json").read_text())
        manifest["artifacts"][name] = {
            "type": "aws:cloudformation:stack",
            "environment": f"aws://{stack.account}/{stack.region}",
            "properties": {"templateFile": f"{name}.template.json", "stackName": name},
        }
        (folder / "manifest.json").write_text(json.dumps(manifest))

    def save(self) -> None:
        """Write what was changed."""
        for file, template in self._changed.items():
            file.write_text(json.dumps(template))

    def _template(self, resource: Resource) -> dict[str, Any]:
        file = resource.stack.file
        if file not in self._changed:
            self._changed[file] = json.loads(file.read_text())
        return self._changed[file]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for inner in value.values():  # pyright: ignore[reportUnknownVariableType]
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:  # pyright: ignore[reportUnknownVariableType]
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value
