"""Assemblies of other layouts than this application's: what a value means does not depend on where it stands."""

import json
from pathlib import Path
from typing import Any

from infra.assurance.facts import Relation
from tests.infra.assurance.assembly import write
from tests.infra.assurance.elsewhere.everything import everything

AGNOSTIC = {"account": "unknown-account", "region": "unknown-region"}
PARENT = {"Metadata": {"aws:asset:path": "inner.json"}, "Type": "AWS::CloudFormation::Stack"}


def named(path: str, type_: str, **properties: Any) -> dict[str, Any]:
    return {"Type": type_, "Properties": properties, "Metadata": {"aws:cdk:path": path}}


def group(path: str, **properties: Any) -> dict[str, Any]:
    nothing = {"CidrIp": "255.255.255.255/32", "IpProtocol": "icmp", "FromPort": 252, "ToPort": 86}
    given = {"GroupDescription": "a group", "VpcId": {"Ref": "Vpc"}, "SecurityGroupEgress": [nothing], **properties}
    return named(path, "AWS::EC2::SecurityGroup", **given)


NETWORK: dict[str, Any] = {
    "Vpc": named("App/Vpc", "AWS::EC2::VPC", CidrBlock="10.0.0.0/16"),
    "Subnet": named(
        "App/Subnet",
        "AWS::EC2::Subnet",
        VpcId={"Ref": "Vpc"},
        CidrBlock={"Fn::Select": [0, {"Fn::Cidr": [{"Fn::GetAtt": ["Vpc", "CidrBlock"]}, 4, 8]}]},
        AvailabilityZone={"Fn::Select": [0, {"Fn::GetAZs": ""}]},
    ),
    "Table": named("App/Table", "AWS::EC2::RouteTable", VpcId={"Ref": "Vpc"}),
    "Association": named(
        "App/Association",
        "AWS::EC2::SubnetRouteTableAssociation",
        SubnetId={"Ref": "Subnet"},
        RouteTableId={"Ref": "Table"},
    ),
}


def function(path: str, groups: Any, subnets: Any, **more: Any) -> dict[str, Any]:
    configuration = {"SecurityGroupIds": groups, "SubnetIds": subnets}
    return named(path, "AWS::Lambda::Function", VpcConfig=configuration, Code={"ZipFile": "x"}, **more)


def database(path: str, groups: Any) -> dict[str, Any]:
    return named(
        path,
        "AWS::RDS::DBInstance",
        Engine="postgres",
        VPCSecurityGroups=groups,
        DBSubnetGroupName={"Ref": "Subnets"},
        StorageEncrypted=True,
    )


def ingress(target: Any, source: Any, port: Any) -> dict[str, Any]:
    return named(
        "App/In",
        "AWS::EC2::SecurityGroupIngress",
        GroupId=target,
        SourceSecurityGroupId=source,
        IpProtocol="tcp",
        FromPort=port,
        ToPort=port,
    )


def egress(source: Any, target: Any, port: Any) -> dict[str, Any]:
    return named(
        "App/Out",
        "AWS::EC2::SecurityGroupEgress",
        GroupId=source,
        DestinationSecurityGroupId=target,
        IpProtocol="tcp",
        FromPort=port,
        ToPort=port,
    )


PORT = {"Fn::GetAtt": ["Database", "Endpoint.Port"]}
BOTH: dict[str, Any] = {
    **NETWORK,
    "Subnets": named("App/Subnets", "AWS::RDS::DBSubnetGroup", SubnetIds=[{"Ref": "Subnet"}]),
    "Own": group("App/Own"),
    "Theirs": group("App/Theirs"),
    "Function": function("App/Function", [{"Ref": "Own"}], [{"Ref": "Subnet"}]),
    "Database": database("App/Database", [{"Fn::GetAtt": ["Theirs", "GroupId"]}]),
    "In": ingress({"Ref": "Theirs"}, {"Fn::GetAtt": ["Own", "GroupId"]}, PORT),
    "Out": egress({"Ref": "Own"}, {"Ref": "Theirs"}, PORT),
}
"""A function that reaches a database on the port that its engine has by default."""

EDGE = ("App/Function", "App/Database", "tcp 5432")


def test_a_port_that_only_the_engine_tells_is_opened(tmp_path: Path) -> None:
    found = everything(write(tmp_path, {"Stack": {"Resources": BOTH}}))
    assert EDGE in found.of(Relation.REACHES)
    assert (found.refused, found.disagreements) == ([], [])


def test_a_stack_for_any_environment_is_understood(tmp_path: Path) -> None:
    """What depends on the region and is told by no file is unknown, and stops nothing that does not need it."""
    memory = {"Fn::FindInMap": ["Sizes", {"Ref": "AWS::Region"}, "Memory"]}
    sized = function("App/Function", [{"Ref": "Own"}], [{"Ref": "Subnet"}], MemorySize=memory)
    mappings = {"Sizes": {"us-east-1": {"Memory": 128}}}
    template = {"Mappings": mappings, "Resources": {**BOTH, "Function": sized}}
    found = everything(write(tmp_path, {"Stack": template}, **AGNOSTIC))
    assert EDGE in found.of(Relation.REACHES)
    assert found.refused == []


def test_groups_lead_through_parameters_of_nested_stacks(tmp_path: Path) -> None:
    inside = ("Database", "Subnets", "In")
    inner = {
        "Parameters": {"Theirs": {"Type": "String"}, "Own": {"Type": "String"}, "Subnet": {"Type": "String"}},
        "Resources": {key: BOTH[key] for key in inside},
        "Outputs": {"Port": {"Value": PORT}},
    }
    inner["Resources"]["Database"] = database("App/Database", [{"Ref": "Theirs"}])
    inner["Resources"]["In"] = ingress({"Ref": "Theirs"}, {"Ref": "Own"}, PORT)
    given = {name: {"Ref": name} for name in ("Theirs", "Own", "Subnet")}
    outer = {key: body for key, body in BOTH.items() if key not in inside}
    outer["Nested"] = {**PARENT, "Properties": {"Parameters": given}}
    outer["Out"] = egress({"Ref": "Own"}, {"Ref": "Theirs"}, {"Fn::GetAtt": ["Nested", "Outputs.Port"]})
    (tmp_path / "inner.json").write_text(json.dumps(inner))
    found = everything(write(tmp_path, {"Stack": {"Resources": outer}}))
    assert EDGE in found.of(Relation.REACHES)
    assert found.refused == []


def test_a_rule_that_only_a_condition_makes_wide_is_seen(tmp_path: Path) -> None:
    anywhere = {"CidrIpv6": "::/0", "IpProtocol": -1}
    chosen = {"Fn::If": ["Open", [anywhere], {"Ref": "AWS::NoValue"}]}
    template = {
        "Parameters": {"Stage": {"Type": "String", "Default": "prod"}},
        "Conditions": {"Open": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Stage"}, "prod"]}]}},
        "Resources": {**BOTH, "Theirs": group("App/Theirs", SecurityGroupIngress=chosen)},
    }
    found = everything(write(tmp_path, {"Stack": template}))
    sources = {source for source, target, _ in found.of(Relation.REACHES) if target == "App/Database"}
    assert sources > {"App/Function"}


def test_what_only_a_parameter_store_knows_is_refused_by_name(tmp_path: Path) -> None:
    parameter = {"Type": "AWS::SSM::Parameter::Value<List<AWS::EC2::SecurityGroup::Id>>", "Default": "/shared/groups"}
    resources = {**BOTH, "Function": function("App/Function", {"Ref": "Groups"}, [{"Ref": "Subnet"}])}
    found = everything(write(tmp_path, {"Stack": {"Parameters": {"Groups": parameter}, "Resources": resources}}))
    assert any("App/Function" in each for each in found.refused)


def test_places_of_assets_are_no_parameters_that_somebody_has_to_give(tmp_path: Path) -> None:
    """Older versions of the CDK pass the place of what they upload as parameters, and say so in the manifest."""
    names = {name: f"AssetParameters0123{name}" for name in ("s3BucketParameter", "s3KeyParameter")}
    allowed = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = {"Version": "2012-10-17", "Statement": [allowed]}
    role = named("App/Role", "AWS::IAM::Role", AssumeRolePolicyDocument=trust)
    code = {"S3Bucket": {"Ref": names["s3BucketParameter"]}, "S3Key": {"Ref": names["s3KeyParameter"]}}
    asked = named("App/Asked", "AWS::Lambda::Function", Code=code, Role={"Fn::GetAtt": ["Role", "Arn"]})
    parameters = {name: {"Type": "String"} for name in names.values()}
    write(tmp_path, {"Stack": {"Parameters": parameters, "Resources": {"Role": role, "Asked": asked}}})
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    entry = {"type": "aws:cdk:asset", "data": {"path": "asset.0123", "packaging": "zip", **names}}
    manifest["artifacts"]["Stack"]["metadata"] = {"/App": [entry]}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    assert everything(tmp_path).refused == []
