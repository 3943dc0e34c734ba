"""More defects: other ways to a data store, by other addresses, protocols, types and places."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from infra.assurance.model.resource import Resource
from tests.infra.assurance.seeded.defect import Application, Change, Defect, Said
from tests.infra.assurance.seeded.templates import DATABASES, Templates

CACHE = "AWS::ElastiCache::ReplicationGroup"


def _open(**rule: Any) -> Change:
    """The database's group admits something more."""

    def change(templates: Templates) -> Said:
        templates.admit(templates.group(templates.database), **rule)
        return "internet", "reaches", templates.database.name

    return change


def open_in_halves(templates: Templates) -> Said:
    """No rule says 0.0.0.0/0, and together they say it."""
    group = templates.group(templates.database)
    for half in ("0.0.0.0/1", "128.0.0.0/1"):
        templates.admit(group, CidrIp=half, IpProtocol=6, FromPort="0", ToPort="65535")
    return "internet", "reaches", templates.database.name, "tcp 0-65535"


def datagrams(templates: Templates) -> Said:
    """The door may send the database datagrams."""
    door, inner = templates.group(templates.load_balancer), templates.group(templates.database)
    rule: dict[str, Any] = {"IpProtocol": "17", "FromPort": 1000, "ToPort": "2000"}
    templates.admit(inner, SourceSecurityGroupId={"Ref": door.logical_id}, **rule)
    templates.let_out(door, DestinationSecurityGroupId={"Ref": inner.logical_id}, **rule)
    return templates.load_balancer.name, "reaches", templates.database.name, "udp 1000-2000"


def inside_a_group(templates: Templates) -> Said:
    """The rule is one of the group's own, behind a function that a parameter decides."""
    group = templates.group(templates.database)
    template = templates.template(group)
    template.setdefault("Parameters", {})["Added"] = {"Type": "String", "Default": "no"}
    template.setdefault("Conditions", {})["Added"] = {"Fn::Equals": [{"Ref": "Added"}, "yes"]}
    rule = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 9999, "CidrIpv6": "::/0"}
    properties = templates.properties(group)
    properties.setdefault("SecurityGroupIngress", []).append({"Fn::If": ["Added", rule, {"Ref": "AWS::NoValue"}]})
    return "internet", "reaches", templates.database.name


def under_a_condition(templates: Templates) -> Said:
    """The rule is there in some deployments only."""
    group = templates.group(templates.database)
    templates.template(group).setdefault("Conditions", {})["Never"] = {"Fn::Equals": ["a", "b"]}
    name = templates.admit(group, CidrIp="0.0.0.0/0", FromPort=3306, ToPort=5432)
    templates.template(group)["Resources"][name]["Condition"] = "Never"
    return "internet", "reaches", templates.database.name


def from_another_stack(templates: Templates) -> Said:
    """The rule is in a stack of its own, and names groups by what another one exports."""
    door, inner = templates.group(templates.load_balancer), templates.group(templates.database)
    outputs = templates.template(inner).setdefault("Outputs", {})
    for name, group in {"AddedDoor": door, "AddedInner": inner}.items():
        value = {"Fn::GetAtt": [group.logical_id, "GroupId"]}
        outputs[name] = {"Value": value, "Export": {"Name": {"Fn::Sub": "${AWS::StackName}--" + name}}}
    stack = inner.stack.name
    sides = {
        "AWS::EC2::SecurityGroupIngress": ("AddedInner", "Source", "AddedDoor"),
        "AWS::EC2::SecurityGroupEgress": ("AddedDoor", "Destination", "AddedInner"),
    }
    resources = {
        owner: {
            "Type": type_,
            "Properties": {
                "GroupId": {"Fn::ImportValue": f"{stack}--{owner}"},
                f"{side}SecurityGroupId": {"Fn::ImportValue": {"Fn::Join": ["--", [stack, other]]}},
                "IpProtocol": "tcp",
                "FromPort": 3306,
                "ToPort": 5432,
            },
        }
        for type_, (owner, side, other) in sides.items()
    }
    templates.add_stack(inner, "added", {"Resources": resources})
    return templates.load_balancer.name, "reaches", templates.database.name


def by_prefix_list(templates: Templates) -> Said:
    """The addresses of a rule are in a list."""
    group = templates.group(templates.database)
    properties: dict[str, Any] = {"PrefixListName": "added", "AddressFamily": "IPv4", "MaxEntries": 2}
    templates.add(group, "Anyone", "AWS::EC2::PrefixList", **properties, Entries=[{"Cidr": "0.0.0.0/0"}])
    list_ = {"Fn::GetAtt": ["Anyone", "PrefixListId"]}
    templates.admit(group, SourcePrefixListId=list_, FromPort=3306, ToPort=5432)
    return "reaches", templates.database.name


def _client(templates: Templates) -> tuple[Resource, list[Any], list[Any]]:
    """A service that may connect to the database, with its subnets and groups as its template writes them."""
    service = templates.service
    network = templates.properties(service)["NetworkConfiguration"]["AwsvpcConfiguration"]
    return service, network["Subnets"], network["SecurityGroups"]


def _wearing(make: Callable[[Templates, Resource, Any, list[Any]], str]) -> Change:
    """Something new wears the group of what may connect to the database."""

    def change(templates: Templates) -> Said:
        service, subnets, groups = _client(templates)
        name = make(templates, service, subnets, groups)
        return name, "reaches", templates.database.name

    return change


def _function(templates: Templates, service: Resource, subnets: Any, groups: list[Any]) -> str:
    return templates.add(
        service,
        "Added",
        "AWS::Lambda::Function",
        Code={"ZipFile": "pass"},
        Role=templates.arn(templates.task_role, service),
        VpcConfig={"SubnetIds": subnets, "SecurityGroupIds": groups},
    )


def _instance(templates: Templates, service: Resource, subnets: Any, groups: list[Any]) -> str:
    return templates.add(
        service,
        "Added",
        "AWS::EC2::Instance",
        ImageId="ami-0123456789abcdef0",
        NetworkInterfaces=[{"DeviceIndex": "0", "SubnetId": {"Fn::Select": [0, subnets]}, "GroupSet": groups}],
    )


def _interface(templates: Templates, service: Resource, subnets: Any, groups: list[Any]) -> str:
    subnet = {"Fn::Select": ["1", subnets]}
    return templates.add(service, "Added", "AWS::EC2::NetworkInterface", SubnetId=subnet, GroupSet=groups)


def _fleet(templates: Templates, service: Resource, subnets: Any, groups: list[Any]) -> str:
    data = {"ImageId": "ami-0123456789abcdef0", "InstanceType": "t4g.nano", "SecurityGroupIds": groups}
    templates.add(service, "AddedTemplate", "AWS::EC2::LaunchTemplate", LaunchTemplateData=data)
    version = {"Fn::GetAtt": "AddedTemplate.LatestVersionNumber"}
    template = {"LaunchTemplateId": {"Ref": "AddedTemplate"}, "Version": version}
    templates.add(
        service,
        "Added",
        "AWS::AutoScaling::AutoScalingGroup",
        MinSize="1",
        MaxSize="1",
        VPCZoneIdentifier=subnets,
        LaunchTemplate=template,
    )
    return "Added"


def _proxy(templates: Templates, service: Resource, subnets: Any, groups: list[Any]) -> str:
    return templates.add(
        service,
        "Added",
        "AWS::RDS::DBProxy",
        DBProxyName="added",
        EngineFamily="MYSQL",
        RoleArn=templates.arn(templates.task_role, service),
        Auth=[{"AuthScheme": "SECRETS", "SecretArn": templates.secret.ref}],
        VpcSubnetIds=subnets,
        VpcSecurityGroupIds=groups,
    )


def _task(templates: Templates, service: Resource, subnets: Any, groups: list[Any]) -> str:
    """A task that a schedule starts."""
    container = {"Name": "added", "Image": "public.ecr.aws/docker/library/busybox:1"}
    task = {"Family": "added", "NetworkMode": "awsvpc", "ContainerDefinitions": [container]}
    name = templates.add(service, "AddedTask", "AWS::ECS::TaskDefinition", **task)
    network = {"AwsVpcConfiguration": {"Subnets": subnets, "SecurityGroups": groups}}
    parameters = {"TaskDefinitionArn": {"Ref": "AddedTask"}, "LaunchType": "FARGATE", "NetworkConfiguration": network}
    cluster = templates.found(service.value("Cluster"), "AWS::ECS::Cluster")
    target = {"Id": "one", "Arn": templates.arn(cluster, service), "EcsParameters": parameters}
    templates.add(service, "Added", "AWS::Events::Rule", ScheduleExpression="rate(1 day)", Targets=[target])
    return name


def _build(templates: Templates, service: Resource, subnets: Any, groups: list[Any]) -> str:
    vpc = templates.named(templates.group(templates.database), "AWS::EC2::VPC")
    environment = {
        "Type": "LINUX_CONTAINER",
        "ComputeType": "BUILD_GENERAL1_SMALL",
        "Image": "aws/codebuild/standard:7.0",
    }
    return templates.add(
        service,
        "Added",
        "AWS::CodeBuild::Project",
        ServiceRole=templates.arn(templates.task_role, service),
        Source={"Type": "NO_SOURCE", "BuildSpec": "version: 0.2"},
        Artifacts={"Type": "NO_ARTIFACTS"},
        Environment=environment,
        VpcConfig={"VpcId": vpc.ref, "Subnets": subnets, "SecurityGroupIds": groups},
    )


def door_wears_the_clients_group(templates: Templates) -> Said:
    """The load balancer has a second group."""
    client = templates.group(templates.service)
    templates.properties(templates.load_balancer)["SecurityGroups"].append(client.ref)
    return templates.load_balancer.name, "reaches", templates.database.name


def network_load_balancer(templates: Templates) -> Said:
    """A load balancer without groups stands in front of the database."""
    group, door = templates.group(templates.database), templates.load_balancer
    subnet = templates.named(door, "AWS::EC2::Subnet")
    block, subnets = subnet.value("CidrBlock"), [subnet.ref]
    templates.admit(group, CidrIp=block, FromPort=3306, ToPort=5432)
    properties: dict[str, Any] = {"Type": "network", "Scheme": "internet-facing", "Subnets": subnets}
    name = templates.add(door, "Added", "AWS::ElasticLoadBalancingV2::LoadBalancer", **properties)
    return name, "reaches", templates.database.name


def everything_out(templates: Templates) -> Said:
    """Without rules of its own a group lets everything out."""
    group = templates.group(templates.service)
    templates.properties(group).pop("SecurityGroupEgress")
    return templates.service.name, "reaches", "internet"


def cache_open(templates: Templates) -> Said:
    """Every protocol, whatever its ports, from anywhere."""
    cache = templates.one(CACHE)
    rule: dict[str, Any] = {"IpProtocol": "-1", "FromPort": 443, "ToPort": 443, "CidrIpv6": "::/0"}
    templates.admit(templates.group(cache), **rule)
    return "internet", "reaches", cache.name, "all"


def range_around_the_cache(templates: Templates) -> Said:
    """A wide range holds the cache's port, for the function that has its own group."""
    cache, function = templates.one(CACHE), templates.one("AWS::Lambda::Function")
    inner, outer = templates.group(cache), templates.group(function)
    rule: dict[str, Any] = {"FromPort": "6000", "ToPort": "7000"}
    templates.admit(inner, SourceSecurityGroupId={"Fn::Sub": f"${{{outer.logical_id}.GroupId}}"}, **rule)
    templates.let_out(outer, CidrIp="172.16.0.0/12", IpProtocol="-1")
    return function.name, "reaches", cache.name, "tcp 6000-7000"


def another_store(templates: Templates) -> Said:
    """A store that nobody spoke of, in the group that is there."""
    cache = templates.properties(templates.one(CACHE))
    template = templates.one(CACHE)
    name = templates.add(
        template,
        "Added",
        "AWS::MemoryDB::Cluster",
        ACLName="open-access",
        NodeType="db.t4g.small",
        SubnetGroupName={"Ref": "AddedSubnets"},
        SecurityGroupIds=cache["SecurityGroupIds"],
        TLSEnabled=False,
    )
    subnets = templates.properties(templates.one("AWS::ElastiCache::SubnetGroup"))["SubnetIds"]
    templates.add(template, "AddedSubnets", "AWS::MemoryDB::SubnetGroup", SubnetGroupName="added", SubnetIds=subnets)
    return "reaches", name


def in_default_group(templates: Templates) -> Said:
    """An interface without groups wears the VPC's default one, and so does a store."""
    database = next(found for found in templates.all(*DATABASES) if found.value("VPCSecurityGroups"))
    templates.properties(database).pop("VPCSecurityGroups")
    service, subnets, _ = _client(templates)
    subnet = {"Fn::Select": [0, subnets]}
    properties: dict[str, Any] = {"ImageId": "ami-0123456789abcdef0", "SubnetId": subnet}
    name = templates.add(service, "Added", "AWS::EC2::Instance", **properties)
    return name, "reaches", database.name


_BOOKSHOP: Final = (Application.BOOKSHOP,)
_EVERYWHERE: Final[Mapping[str, Change]] = {
    "database open to IPv6": _open(CidrIpv6="::/0", FromPort="3306", ToPort="5432"),
    "database open by protocol -1": _open(CidrIp="0.0.0.0/0", IpProtocol=-1),
    "database open by protocol 6": _open(CidrIp="0.0.0.0/0", IpProtocol="6", FromPort=0, ToPort=65535),
    "database open to half of the world": _open(CidrIp="128.0.0.0/1", FromPort=3306, ToPort=5432),
    "database open in halves": open_in_halves,
    "database takes datagrams": datagrams,
    "rule decided by a parameter": inside_a_group,
    "rule under a condition": under_a_condition,
    "rule in another stack, by exports": from_another_stack,
    "rule with a prefix list": by_prefix_list,
    "function wears the client's group": _wearing(_function),
    "instance wears the client's group": _wearing(_instance),
    "interface wears the client's group": _wearing(_interface),
    "fleet wears the client's group": _wearing(_fleet),
    "proxy wears the client's group": _wearing(_proxy),
    "task by schedule wears the client's group": _wearing(_task),
    "build wears the client's group": _wearing(_build),
    "load balancer wears the client's group": door_wears_the_clients_group,
    "network load balancer before the database": network_load_balancer,
}
_IN_THE_BOOKSHOP: Final[Mapping[str, Change]] = {
    "group lets everything out": everything_out,
    "cache open to IPv6, every protocol": cache_open,
    "wide range around the cache's port": range_around_the_cache,
    "another store in a group that is there": another_store,
    "store and instance in the default group": in_default_group,
}

WAYS_IN: Final[Mapping[str, Defect]] = {
    **{name: Defect(name, change) for name, change in _EVERYWHERE.items()},
    **{name: Defect(name, change, _BOOKSHOP) for name, change in _IN_THE_BOOKSHOP.items()},
}
