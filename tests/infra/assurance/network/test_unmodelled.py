"""What may carry connections and has no model is refused by name; what cannot passes without a word."""

from pathlib import Path
from typing import Any

import pytest

from tests.infra.assurance.network.templates import VPC, Resources, graph, group, interface, node, rule, subnet

PLACE: Resources = VPC | subnet("Here") | group("Own") | interface("X", "Here", "Own")


def of(type_: str, **properties: Any) -> Resources:
    return {"New": {"Type": type_, "Properties": properties}}


@pytest.mark.parametrize(
    "resource",
    [
        of("AWS::EC2::VPCPeeringConnection", VpcId={"Ref": "Vpc"}, PeerVpcId="vpc-1"),
        of("AWS::EC2::TransitGatewayAttachment", VpcId={"Ref": "Vpc"}),
        of("AWS::EC2::VPNGateway", Type="ipsec.1"),
        of("AWS::EC2::VPCGatewayAttachment", VpcId={"Ref": "Vpc"}, VpnGatewayId="vgw-1"),
        of("AWS::EC2::ClientVpnEndpoint"),
        of("AWS::EC2::NetworkAcl", VpcId={"Ref": "Vpc"}),
        of("AWS::EC2::NetworkAclEntry"),
        of("AWS::EC2::VPCEndpointService"),
        of("AWS::EC2::SecurityGroupVpcAssociation", GroupId={"Ref": "Own"}, VpcId="vpc-1"),
        of("AWS::EC2::TrafficMirrorSession"),
        of("AWS::EC2::VerifiedAccessEndpoint"),
        of("AWS::DirectConnect::Connection"),
        of("AWS::NetworkFirewall::Firewall"),
        of("AWS::VpcLattice::ResourceGateway"),
        of("AWS::VpcLattice::ResourceConfiguration"),
        of("AWS::GlobalAccelerator::EndpointGroup"),
        of("AWS::CloudFront::VpcOrigin"),
        of("AWS::RAM::ResourceShare"),
        of("AWS::EKS::Cluster", ResourcesVpcConfig={"SubnetIds": [{"Ref": "Here"}]}),
        of("AWS::Lightsail::Instance"),
        of("AWS::ElasticBeanstalk::Environment"),
        of("AWS::QuickSight::VPCConnection", SubnetIds=[{"Ref": "Here"}], SecurityGroupIds=[{"Ref": "Own"}]),
        of("AWS::KinesisFirehose::DeliveryStream", ElasticsearchDestinationConfiguration={
            "VpcConfiguration": {"SubnetIds": [{"Ref": "Here"}]}}),
        of("AWS::EC2::NetworkPortal", SubnetId={"Ref": "Here"}),  # a type that is not there, or not yet
        of("Datadog::Monitors::Monitor"),
        of("Acme::Network::Vpc::MODULE"),
        of("Custom::Bastion", Subnet={"Ref": "Here"}),
        of("Custom::AWS", Create={"Fn::Sub": '{"service":"EC2","parameters":{"GroupId":"${Own.GroupId}"}}'}),
    ],
    ids=lambda resource: resource["New"]["Type"],
)  # fmt: skip
def test_ways_round_security_groups_are_refused_by_name(tmp_path: Path, resource: Resources) -> None:
    shown = graph(tmp_path, PLACE | resource)
    assert len(shown.refusals) == 1
    assert "New: " in shown.refusals[0]
    assert resource["New"]["Type"] in shown.refusals[0]


@pytest.mark.parametrize(
    "resource",
    [
        of("AWS::CloudWatch::Alarm", MetricName="x"),
        of("AWS::Logs::MetricFilter"),
        of("AWS::SNS::Topic"),
        of("AWS::CDK::Metadata"),
        of("AWS::CloudFormation::WaitConditionHandle"),
        of("AWS::Lambda::Function", Handler="x"),
        of("AWS::CodeBuild::Project"),
        of("AWS::SageMaker::Model"),
        of("AWS::Route53::HostedZone", VPCs=[{"VPCId": {"Ref": "Vpc"}, "VPCRegion": "us-east-1"}]),
        of("AWS::EC2::FlowLog", ResourceId={"Ref": "Vpc"}),
        of("AWS::EC2::DHCPOptions"),
        of("AWS::KinesisFirehose::DeliveryStream", S3DestinationConfiguration={}),
        of("Custom::Thing", Value=1),
        of("Custom::Restrict", Group={"Fn::GetAtt": ["Vpc", "DefaultSecurityGroup"]}),
    ],
    ids=lambda resource: resource["New"]["Type"],
)
def test_what_opens_nothing_changes_nothing(tmp_path: Path, resource: Resources) -> None:
    assert graph(tmp_path, PLACE | resource) == graph(tmp_path, PLACE)


def test_the_link_of_a_rest_api_leads_to_its_load_balancer(tmp_path: Path) -> None:
    kind = "AWS::ElasticLoadBalancingV2"
    properties = {"Type": "network", "Scheme": "internal", "Subnets": [{"Ref": "Here"}]}
    resources: Resources = {
        "Balancer": {"Type": f"{kind}::LoadBalancer", "Properties": properties},
        "Listener": {"Type": f"{kind}::Listener",
                     "Properties": {"LoadBalancerArn": {"Ref": "Balancer"}, "Port": 443, "Protocol": "TLS"}},
        **of("AWS::ApiGateway::VpcLink", TargetArns=[{"Ref": "Balancer"}]),
    }  # fmt: skip
    shown = graph(tmp_path, PLACE | resources)
    assert shown.edges["AWS::ApiGateway::VpcLink New", f"{kind}::LoadBalancer Balancer"] == "tcp 443"
    resources["New"]["Properties"]["TargetArns"] = ["arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/net/x/1"]
    assert any("leads to arn:aws" in line for line in graph(tmp_path, PLACE | resources).refusals)


def test_the_data_api_of_a_cluster_is_a_way_in_from_anywhere(tmp_path: Path) -> None:
    store: Resources = {
        "Subnets": {"Type": "AWS::RDS::DBSubnetGroup", "Properties": {"SubnetIds": [{"Ref": "Here"}]}},
        **of("AWS::RDS::DBCluster", DBSubnetGroupName={"Ref": "Subnets"}, VpcSecurityGroupIds=[{"Ref": "Own"}]),
    }
    assert not graph(tmp_path, PLACE | store).edges
    store["New"]["Properties"]["EnableHttpEndpoint"] = True
    assert graph(tmp_path, PLACE | store).edges == {("internet", "AWS::RDS::DBCluster New"): "tcp 443"}


def test_one_thing_that_is_refused_hides_nothing_else(tmp_path: Path) -> None:
    both: Resources = of("AWS::EC2::VPCPeeringConnection") | {"Bad": {"Type": "AWS::EC2::Instance", "Properties": {}}}
    open_ = group("Own", [rule("tcp", 1, CidrIp="0.0.0.0/0")])
    shown = graph(tmp_path, PLACE | open_ | both)
    assert len(shown.refusals) == 2
    assert shown.edges == {("internet (groups only)", node("X")): "tcp 1"}
