"""Names and ARNs have the forms that AWS gives them, so that what points at a resource leads to it."""

import json
import re
from pathlib import Path
from typing import Any

import cfnlint
import pytest

from infra.assurance.model.arns import ARNS, ATTRIBUTES, NAME_KEYS, REF_IS_ARN, REFS
from infra.assurance.model.identity import is_unknown
from infra.assurance.refusal import Refused
from tests.infra.assurance.assembly import write
from tests.infra.assurance.model.reading import model, models, resource

SCHEMAS = Path(cfnlint.__file__).parent / "data" / "schemas"
PROVIDERS: dict[str, str] = json.loads((SCHEMAS / "providers" / "us-east-1.json").read_bytes())
# `Ref` of these is not their primary identifier, as "Return values" of their pages say.
OTHER_REF = {
    "AWS::Batch::JobDefinition",
    "AWS::CloudFormation::Stack",
    "AWS::Events::Rule",
    "AWS::SecretsManager::Secret",
}
TYPES = sorted({*ARNS, *REF_IS_ARN, *REFS, *NAME_KEYS, *(type_ for type_, _ in ATTRIBUTES)})


def schema(type_: str) -> dict[str, Any]:
    """CloudFormation's schema of a type."""
    return json.loads((SCHEMAS / "resources" / f"{PROVIDERS[type_]}.json").read_bytes())


def test_tables_name_types_that_exist() -> None:
    assert [type_ for type_ in TYPES if type_ not in PROVIDERS] == []


def test_ref_is_an_arn_where_the_identifier_that_cloudformation_tells_is_one() -> None:
    is_arn = {type_: schema(type_)["primaryIdentifier"][0].endswith("Arn") for type_ in TYPES}
    assert {type_ for type_ in TYPES if is_arn[type_] != (type_ in REF_IS_ARN)} == OTHER_REF


def test_physical_names_come_from_a_property_that_exists() -> None:
    def has_key(type_: str) -> bool:
        kind = type_.rpartition("::")[2]
        keys = {NAME_KEYS.get(type_, f"{kind}Name"), f"{kind}Name", f"{kind}Identifier", "Name", "Family"}
        return not keys.isdisjoint(schema(type_)["properties"])

    named = [type_ for type_, form in ARNS.items() if "{name}" in form]
    assert [type_ for type_ in named if not has_key(type_)] == ["AWS::CloudFormation::Stack"]


def body(type_: str, **properties: Any) -> dict[str, Any]:
    return {"Type": type_, "Properties": properties}


REF, ARN = {"Ref": "It"}, {"Fn::GetAtt": ["It", "Arn"]}


@pytest.mark.parametrize(
    ("written", "pattern", "it"),
    [
        (REF, r"stack-it-[0-9a-f]{12}", body("AWS::S3::Bucket")),
        (REF, r"Stack-It-[0-9a-f]{12}", body("AWS::IAM::Role")),
        (REF, "named", body("AWS::IAM::Role", RoleName="named")),
        (ARN, "arn:aws:iam::111122223333:role/a/b/named", body("AWS::IAM::Role", RoleName="named", Path="/a/b/")),
        (REF, r"arn:aws:secretsmanager:us-east-1:111122223333:secret:named-[0-9a-f]{6}",
         body("AWS::SecretsManager::Secret", Name="named")),
        (REF, "https://sqs.us-east-1.amazonaws.com/111122223333/named", body("AWS::SQS::Queue", QueueName="named")),
        (ARN, "arn:aws:sqs:us-east-1:111122223333:named", body("AWS::SQS::Queue", QueueName="named")),
        ({"Fn::GetAtt": ["It", "QueueName"]}, "named", body("AWS::SQS::Queue", QueueName="named")),
        (REF, "arn:aws:elasticloadbalancing:us-east-1:111122223333:loadbalancer/net/named/.*",
         body("AWS::ElasticLoadBalancingV2::LoadBalancer", Name="named", Type="network")),
        ({"Fn::GetAtt": ["It", "LoadBalancerFullName"]}, r"app/named/Stack-It-[0-9a-f]+",
         body("AWS::ElasticLoadBalancingV2::LoadBalancer", Name="named")),
        (REF, "arn:aws:lambda:us-east-1:111122223333:function:f:live",
         body("AWS::Lambda::Alias", Name="live", FunctionName="arn:aws:lambda:us-east-1:111122223333:function:f")),
        (REF, "arn:aws:iam::111122223333:oidc-provider/issuer/x", body("AWS::IAM::OIDCProvider", Url="https://issuer/x")),
        (ARN, "arn:aws:logs:us-east-1:111122223333:log-group:/a/b:\\*",
         body("AWS::Logs::LogGroup", LogGroupName="/a/b")),
        (ARN, "arn:aws:ssm:us-east-1:111122223333:parameter/a/b", body("AWS::SSM::Parameter", Name="/a/b")),
        (REF, "/a/b", body("AWS::Logs::LogGroup", LogGroupName="/a/b")),
        (REF, r"named\|Stack-It-[0-9a-f]{17}\|REGIONAL", body("AWS::WAFv2::WebACL", Name="named", Scope="REGIONAL")),
        (ARN, "arn:aws:ecs:us-east-1:111122223333:service/home/s",
         body("AWS::ECS::Service", ServiceName="s", Cluster="arn:aws:ecs:us-east-1:111122223333:cluster/home")),
        ({"Fn::GetAtt": ["It", "ServiceArn"]}, "arn:.*:service/default/s", body("AWS::ECS::Service", ServiceName="s")),
        ({"Fn::GetAtt": ["It", "VpcId"]}, "vpc-1", body("AWS::EC2::SecurityGroup", VpcId="vpc-1", GroupName="g")),
        ({"Fn::GetAtt": ["It", "GroupId"]}, r"Stack-It-[0-9a-f]{17}", body("AWS::EC2::SecurityGroup", GroupName="g")),
        ({"Fn::GetAtt": ["It", "StreamArn"]}, "arn:aws:dynamodb:.*:table/t/stream/.*",
         body("AWS::DynamoDB::Table", TableName="t")),
        ({"Fn::GetAtt": ["It", "Endpoint.Port"]}, "6000", body("AWS::RDS::DBInstance", Engine="postgres", Port=6000)),
        ({"Fn::GetAtt": ["It", "Endpoint.Port"]}, "5432", body("AWS::RDS::DBCluster", Engine="aurora-postgresql")),
        ({"Fn::GetAtt": ["It", "Endpoint.Port"]}, "3306", body("AWS::RDS::DBCluster", Engine="aurora-mysql")),
        ({"Fn::GetAtt": ["It", "Endpoint.Port"]}, "1433", body("AWS::RDS::DBInstance", Engine="sqlserver-ex")),
        ({"Fn::GetAtt": ["It", "PrimaryEndPoint.Port"]}, "6379",
         body("AWS::ElastiCache::ReplicationGroup", Engine="valkey")),
        ({"Fn::GetAtt": ["It", "Endpoint.Port"]}, "5439", body("AWS::Redshift::Cluster")),
    ],
)  # fmt: skip
def test_names_have_the_forms_that_aws_gives_them(tmp_path: Path, written: Any, pattern: str, it: Any) -> None:
    holder = {"Type": "Test::Holder", "Properties": {"It": written}}
    value = resource(model(tmp_path, {"Resources": {"It": it, "Holder": holder}}), "Holder").value("It")
    assert re.fullmatch(pattern, value)


def test_a_port_that_no_template_tells_is_refused(tmp_path: Path) -> None:
    holder = {"Type": "Test::Holder", "Properties": {"It": {"Fn::GetAtt": ["It", "Endpoint.Port"]}}}
    read = model(tmp_path, {"Resources": {"It": body("AWS::RDS::DBInstance", Engine="new"), "Holder": holder}})
    with pytest.raises(Refused, match="port"):
        resource(read, "Holder").value("It")


def test_a_custom_resource_says_what_nobody_knows(tmp_path: Path) -> None:
    read = model(tmp_path, {"Resources": {"It": {"Type": "Custom::Thing"}}})
    assert is_unknown(resource(read, "It").ref)


@pytest.mark.parametrize("type_", ["AWS::Lambda::Url", "AWS::Lambda::Function", "AWS::SNS::Topic", "AWS::New::Thing"])
def test_what_ref_arn_or_id_names_is_found(tmp_path: Path, type_: str) -> None:
    read = model(tmp_path, {"Resources": {"It": {"Type": type_}}})
    it = resource(read, "It")
    assert [read.find(value, type_) for value in (it.ref, it.arn)] == [it, it]


def test_equal_stacks_of_two_stages_have_resources_of_their_own(tmp_path: Path) -> None:
    template = {"Resources": {"It": {"Type": "AWS::EC2::SecurityGroup"}}}
    for stage in ("one", "other"):
        write(tmp_path, {"Stack": template}, stage=stage, account="unknown-account", region="unknown-region")
    (read,) = models(tmp_path, {"Resources": {}})
    assert len({each.ref for each in read.resources}) == 2
