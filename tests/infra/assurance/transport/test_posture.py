"""Qualities of resources, as their properties say, and as AWS has it where they say nothing."""

from pathlib import Path
from typing import Any

import pytest

from infra.assurance.transport.posture import postures
from tests.infra.assurance.transport.reading import Json, model_of, postures_of, resource

SAFE: Json = {
    "Name": "web",
    "Image": "111122223333.dkr.ecr.eu-west-1.amazonaws.com/web:1",
    "User": "10001:10001",
    "ReadonlyRootFilesystem": True,
    "LinuxParameters": {"Capabilities": {"Drop": ["ALL"]}},
    "LogConfiguration": {"LogDriver": "awslogs", "Options": {"awslogs-group": {"Ref": "Group"}}},
}
GROUP: Json = resource("AWS::Logs::LogGroup", path="logs")
BLOCKED: Json = {
    "BlockPublicAcls": True, "BlockPublicPolicy": True, "IgnorePublicAcls": True, "RestrictPublicBuckets": True,
}  # fmt: skip


def _container(folder: Path, **changes: Any) -> dict[str, str]:
    container = {key: value for key, value in {**SAFE, **changes}.items() if value is not None}
    task = resource("AWS::ECS::TaskDefinition", path="task", ContainerDefinitions=[container])
    return postures_of(model_of(folder, {"Task": task, "Group": GROUP}), "task (web)")


def test_a_safe_container(tmp_path: Path) -> None:
    assert _container(tmp_path) == {
        "user": "10001:10001",
        "root file system": "read-only",
        "privileged": "no",
        "capabilities dropped": "ALL",
        "log": "awslogs to logs",
        "image from": "account 111122223333",
    }


@pytest.mark.parametrize(
    ("changes", "quality", "value"),
    [
        ({"User": None}, "user", "image decides"),
        ({"User": "root"}, "user", "root"),
        ({"User": "0:10001"}, "user", "root"),
        ({"User": 0}, "user", "root"),
        ({"ReadonlyRootFilesystem": None}, "root file system", "writable"),
        ({"ReadonlyRootFilesystem": "false"}, "root file system", "writable"),
        ({"Privileged": "true"}, "privileged", "yes"),
        ({"LinuxParameters": {}}, "capabilities dropped", "none"),
        ({"LinuxParameters": {"Capabilities": {"Add": ["SYS_PTRACE"]}}}, "capabilities added", "SYS_PTRACE"),
        ({"LogConfiguration": None}, "log", "none"),
        ({"Image": "nginx"}, "image from", "docker.io"),
        ({"Image": "someone/nginx:1"}, "image from", "docker.io"),
        ({"Image": "r.example:5000/web:{{resolve:ssm:/tag}}"}, "image from", "r.example:5000"),
        ({"Image": "public.ecr.aws/nginx/nginx:1"}, "image from", "public.ecr.aws"),
    ],
)
def test_what_makes_a_container_less_safe_shows(tmp_path: Path, changes: Json, quality: str, value: str) -> None:
    assert _container(tmp_path, **changes)[quality] == value


@pytest.mark.parametrize(
    ("kind", "properties", "expected"),
    [
        ("AWS::RDS::DBCluster", {"Engine": "aurora-postgresql"}, {
            "deletion protection": "no", "days of backups": "1", "sign-in by IAM": "no", "logs exported": "none",
            "master password kept by Secrets Manager": "no", "when removed or replaced": "Snapshot, Delete"}),
        ("AWS::RDS::DBInstance", {"DBClusterIdentifier": "c"}, {
            "publicly accessible": "AWS decides by the subnets", "when removed or replaced": "Delete"}),
        ("AWS::RDS::DBInstance", {"PubliclyAccessible": "true", "DBClusterIdentifier": "c"}, {
            "publicly accessible": "yes", "when removed or replaced": "Delete"}),
        ("AWS::OpenSearchService::Domain", {}, {
            "in a VPC": "no", "encrypted between nodes": "no", "HTTPS only": "no",
            "when removed or replaced": "Delete"}),
        ("AWS::KMS::Key", {"EnableKeyRotation": True}, {"rotated": "yes", "when removed or replaced": "Delete"}),
        ("AWS::KMS::Key", {"Enabled": False}, {
            "rotated": "no", "enabled": "no", "when removed or replaced": "Delete"}),
        ("AWS::Logs::LogGroup", {}, {"days of retention": "for ever", "when removed or replaced": "Delete"}),
        ("AWS::CodeBuild::Project", {"Environment": {"PrivilegedMode": True}}, {"privileged": "yes"}),
        ("AWS::Lambda::Url", {"AuthType": "NONE"}, {"authorization": "NONE"}),
        ("AWS::EC2::Subnet", {"MapPublicIpOnLaunch": "true"}, {"public address on launch": "yes"}),
        ("AWS::VpcLattice::Service", {}, {"authorization": "NONE"}),
        ("AWS::CloudTrail::Trail", {"IsLogging": True, "IsMultiRegionTrail": True, "EventSelectors": [
            {"IncludeManagementEvents": False, "ReadWriteType": "All"}]}, {
            "logging": "yes", "every region": "yes", "log files validated": "no", "global services": "no",
            "management events": "none"}),
        ("AWS::Backup::BackupVault", {"LockConfiguration": {"MinRetentionDays": 7}}, {
            "lock": "at least 7 days, may be unlocked", "when removed or replaced": "Delete"}),
        ("AWS::IAM::User", {"LoginProfile": {"Password": "{{resolve:ssm-secure:x}}"}}, {
            "long-lived identity": "with a password"}),
        ("AWS::EC2::Instance", {"MetadataOptions": {"HttpTokens": "required"},
                                "NetworkInterfaces": [{"AssociatePublicIpAddress": "true"}]}, {
            "instance metadata service": "required", "public address": "yes"}),
        ("AWS::EC2::LaunchTemplate", {"LaunchTemplateData": {}}, {
            "instance metadata service": "image decides", "public address": "subnet decides"}),
        ("AWS::StepFunctions::StateMachine", {}, {"logging": "OFF"}),
        ("AWS::ECR::Repository", {
            "ImageTagMutability": "IMMUTABLE", "ImageScanningConfiguration": {"ScanOnPush": True}}, {
            "scanned on push": "yes", "tags": "IMMUTABLE", "when removed or replaced": "Delete"}),
        ("AWS::RDS::DBClusterParameterGroup", {"Parameters": {"log_statement": "all", "general_log": 0}}, {
            "statements in the log": "log_statement all"}),
        ("AWS::Events::Rule", {"Targets": [{"Arn": "arn:aws:events:us-east-1:999988887777:event-bus/theirs"}]}, {
            "events sent to": "account 999988887777"}),
        ("AWS::Events::Rule", {"Targets": [{"Arn": "arn:aws:sns:us-east-1:111122223333:ours"}]}, {}),
        ("AWS::SNS::Subscription", {"Protocol": "https", "Endpoint": "https://example.com/"}, {
            "delivered by": "https", "delivered to": "https://example.com/"}),
        ("AWS::Logs::SubscriptionFilter", {"DestinationArn": "arn:aws:logs:us-east-1:999988887777:destination:d"}, {
            "log sent to": "arn:aws:logs:us-east-1:999988887777:destination:d"}),
        ("AWS::RAM::ResourceShare", {"Principals": ["999988887777"]}, {
            "shared with": "999988887777", "shared outside the organization": "yes"}),
        ("AWS::SecretsManager::Secret", {"ReplicaRegions": [{"Region": "eu-west-1"}]}, {
            "copied to": "eu-west-1", "rotated": "by nothing in the templates", "when removed or replaced": "Delete"}),
        ("AWS::SecretsManager::Secret", {}, {
            "rotated": "by nothing in the templates", "when removed or replaced": "Delete"}),
    ],
)  # fmt: skip
def test_a_resource_has_the_qualities_that_its_properties_say(
    tmp_path: Path, kind: str, properties: Json, expected: dict[str, str]
) -> None:
    assert postures_of(model_of(tmp_path, {"Thing": resource(kind, path="thing", **properties)}), "thing") == expected


def test_what_is_kept_when_a_resource_goes_stands_beside_its_properties(tmp_path: Path) -> None:
    bucket = {**resource("AWS::S3::Bucket", path="bucket"), "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
    assert postures_of(model_of(tmp_path, {"Bucket": bucket}), "bucket")["when removed or replaced"] == "Retain"


@pytest.mark.parametrize(
    ("configuration", "blocked"),
    [
        (None, "all, as AWS sets it"),
        (BLOCKED, "all"),
        ({**BLOCKED, "RestrictPublicBuckets": False}, "BlockPublicAcls, BlockPublicPolicy, IgnorePublicAcls"),
        ({}, "none"),
    ],
)
def test_a_bucket_lets_in_what_it_does_not_block(tmp_path: Path, configuration: Json | None, blocked: str) -> None:
    properties: Json = {} if configuration is None else {"PublicAccessBlockConfiguration": configuration}
    denial: Json = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [{"Fn::GetAtt": ["Bucket", "Arn"]}, {"Fn::Sub": "${Bucket.Arn}/*"}],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    policy = resource("AWS::S3::BucketPolicy", Bucket={"Ref": "Bucket"}, PolicyDocument={"Statement": [denial]})
    bucket = resource("AWS::S3::Bucket", path="bucket", **properties)
    found = postures_of(model_of(tmp_path, {"Bucket": bucket, "Policy": policy}), "bucket")
    assert (found["public access blocked"], found["lowest TLS"]) == (blocked, "any TLS")


def test_a_balancer_has_the_web_acl_that_is_associated_with_it(tmp_path: Path) -> None:
    balancer = resource("AWS::ElasticLoadBalancingV2::LoadBalancer", path="balancer")
    bare = postures_of(model_of(tmp_path / "a", {"Balancer": balancer}), "balancer")
    assert bare == {
        "scheme": "internet-facing",
        "deletion protection": "no",
        "access log": "no",
        "invalid headers dropped": "no",
        "request smuggling": "defensive",
        "passes unchecked when the web ACL fails": "no",
        "web ACL": "none",
    }
    rules: list[Json] = [
        {"Name": "Flood", "Action": {"Block": {}}},
        {"Name": "Common", "OverrideAction": {"None": {}}, "Statement": {"ManagedRuleGroupStatement": {
            "RuleActionOverrides": [{"Name": "Size", "ActionToUse": {"Count": {}}},
                                    {"Name": "Script", "ActionToUse": {"Block": {}}}]}}},
        {"Name": "Inputs", "OverrideAction": {"Count": {}}, "Statement": {}},
    ]  # fmt: skip
    acl = resource("AWS::WAFv2::WebACL", path="acl", Scope="REGIONAL", DefaultAction={"Allow": {}}, Rules=rules)
    arn = {"Fn::GetAtt": ["Acl", "Arn"]}
    association = resource("AWS::WAFv2::WebACLAssociation", ResourceArn={"Ref": "Balancer"}, WebACLArn=arn)
    model = model_of(tmp_path / "b", {"Balancer": balancer, "Acl": acl, "Association": association})
    assert postures_of(model, "balancer")["web ACL"] == "acl"
    assert postures_of(model, "acl") == {
        "default action": "allow",
        "rule Flood": "block",
        "rule Common": "as the group says, but Size count",
        "rule Inputs": "count",
        "log": "none",
    }


def test_a_listener_says_what_it_accepts_wherever_its_balancer_is(tmp_path: Path) -> None:
    balancer = "arn:aws:elasticloadbalancing:us-east-1:111122223333:loadbalancer/app/elsewhere/0123456789abcdef"
    listener: Json = {"LoadBalancerArn": balancer, "Port": 80, "Protocol": "HTTP", "DefaultActions": []}
    mesh: Json = {"ServiceIdentifier": "svc-0123", "Protocol": "HTTPS"}
    resources = {
        "Listener": resource("AWS::ElasticLoadBalancingV2::Listener", path="listener", **listener),
        "Mesh": resource("AWS::VpcLattice::Listener", path="mesh", **mesh),
    }
    model = model_of(tmp_path, resources)
    assert postures_of(model, "listener") == {"accepts on tcp 80": "HTTP, TLS: none"}
    assert postures_of(model, "mesh") == {"accepts on tcp 443": "HTTPS, TLS: TLSv1.2"}


def test_a_stack_that_one_call_may_delete_shows(tmp_path: Path) -> None:
    assert postures_of(model_of(tmp_path, {"Group": GROUP}), "App") == {"termination protection": "no"}


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ({"AutomaticallyAfterDays": 30}, "every 30 days"),
        ({"ScheduleExpression": "rate(10 days)"}, "rate(10 days)"),
        (None, "when it is asked for"),
    ],
)
def test_a_secret_says_how_often_it_is_rotated(tmp_path: Path, rules: Json | None, told: str) -> None:
    given: Json = {"SecretId": {"Ref": "Secret"}} | ({"RotationRules": rules} if rules else {})
    resources = {
        "Secret": resource("AWS::SecretsManager::Secret", path="secret"),
        "Schedule": resource("AWS::SecretsManager::RotationSchedule", **given),
    }
    assert postures_of(model_of(tmp_path, resources), "secret")["rotated"] == told


def test_a_subnet_says_each_route_that_its_table_has_out_of_the_network(tmp_path: Path) -> None:
    out: Json = {"RouteTableId": {"Ref": "Table"}, "DestinationCidrBlock": "0.0.0.0/0"}
    resources = {
        "Gateway": resource("AWS::EC2::InternetGateway"),
        "Table": resource("AWS::EC2::RouteTable", VpcId="vpc-1"),
        "Closed": resource("AWS::EC2::RouteTable", VpcId="vpc-1"),
        "Route": resource("AWS::EC2::Route", GatewayId={"Ref": "Gateway"}, **out),
        "Open": resource("AWS::EC2::Subnet", path="open", CidrBlock="10.0.0.0/24"),
        "Inner": resource("AWS::EC2::Subnet", path="inner", CidrBlock="10.0.1.0/24"),
    }
    for subnet, table in (("Open", "Table"), ("Inner", "Closed")):
        both: Json = {"SubnetId": {"Ref": subnet}, "RouteTableId": {"Ref": table}}
        resources[f"{subnet}Table"] = resource("AWS::EC2::SubnetRouteTableAssociation", **both)
    model = model_of(tmp_path, resources)
    assert postures_of(model, "open")["route"] == "0.0.0.0/0 by Gateway"
    assert "route" not in postures_of(model, "inner")


def test_a_vpc_says_where_its_flow_log_goes(tmp_path: Path) -> None:
    vpc = resource("AWS::EC2::VPC", path="vpc", CidrBlock="10.0.0.0/16")
    assert postures_of(model_of(tmp_path / "a", {"Vpc": vpc}), "vpc") == {"flow log": "none"}
    log = resource("AWS::EC2::FlowLog", ResourceId={"Ref": "Vpc"}, TrafficType="ALL", LogGroupName={"Ref": "Group"})
    model = model_of(tmp_path / "b", {"Vpc": vpc, "Log": log, "Group": GROUP})
    assert postures_of(model, "vpc") == {"flow log": "ALL to logs"}


NETWORK: Json = {"Subnets": ["s"], "AssignPublicIp": "ENABLED"}


@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        ("AWS::ECS::Service", {"NetworkConfiguration": {"AwsvpcConfiguration": NETWORK}}),
        ("AWS::Scheduler::Schedule",
         {"Target": {"EcsParameters": {"NetworkConfiguration": {"AwsvpcConfiguration": NETWORK}}}}),
        ("AWS::Events::Rule",
         {"Targets": [{"EcsParameters": {"NetworkConfiguration": {"AwsVpcConfiguration": NETWORK}}}]}),
        ("AWS::StepFunctions::StateMachine", {"DefinitionString": {"Fn::Join": ["", [
            '{"States":{"Run":{"Parameters":{"NetworkConfiguration":{"AwsvpcConfiguration":{"Subnets":["',
            {"Ref": "AWS::Region"}, '"],"AssignPublicIp":"ENABLED"}}}}}}']]}}),
    ],
)  # fmt: skip
def test_a_task_with_a_public_address_shows_whoever_starts_it(tmp_path: Path, kind: str, properties: Json) -> None:
    model = model_of(tmp_path, {"Starter": resource(kind, path="starter", **properties)})
    assert postures_of(model, "starter")["public address"] == "yes"


@pytest.mark.parametrize("value", ["{{resolve:ssm:/public}}", {"Fn::Mystery": "x"}])
def test_a_value_that_no_file_tells_is_refused_and_the_rest_is_told(tmp_path: Path, value: Any) -> None:
    instance = resource("AWS::RDS::DBInstance", path="database", Engine="postgres", PubliclyAccessible=value)
    model = model_of(tmp_path, {"Database": instance, "Group": GROUP})
    assert any(fact["resource"] == "logs" for fact in postures(model))
    assert {refused.where for refused in model.refusals} == {"database"}
