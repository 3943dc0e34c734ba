"""More defects: ways round the groups, and what no file tells. They are refused by name, or are facts that break."""

from collections.abc import Mapping
from typing import Any, Final

from tests.infra.assurance.seeded.defect import Application, Change, Defect, Said
from tests.infra.assurance.seeded.templates import Templates


def _beside_the_vpc(type_: str, **properties: Any) -> Change:
    """A resource that nobody modelled, in the network's template; `{vpc}` and `{subnet}` stand for those."""

    def change(templates: Templates) -> Said:
        group = templates.group(templates.database)
        vpc = templates.named(group, "AWS::EC2::VPC")
        subnet = templates.named(templates.service, "AWS::EC2::Subnet")
        names: dict[str, Any] = {"{vpc}": {"Ref": vpc.logical_id}, "{subnet}": {"Ref": subnet.logical_id}}
        names["{subnets}"] = [names["{subnet}"]]
        filled = {
            key: names.get(value, value) if isinstance(value, str) else value for key, value in properties.items()
        }
        templates.add(vpc, "Added", type_, **filled)
        return type_, "Added"

    return change


def cluster(templates: Templates) -> Said:
    """A cluster of Kubernetes in the client's group."""
    subnet, group = templates.named(templates.service, "AWS::EC2::Subnet"), templates.group(templates.service)
    network = {"SubnetIds": [{"Ref": subnet.logical_id}], "SecurityGroupIds": [{"Ref": group.logical_id}]}
    role = templates.task_role.arn
    return (templates.add(group, "Added", "AWS::EKS::Cluster", RoleArn=role, ResourcesVpcConfig=network),)


def rule_of_a_parameter(templates: Templates) -> Said:
    """Who is admitted is asked at deployment."""
    group = templates.group(templates.database)
    templates.template(group).setdefault("Parameters", {})["Offices"] = {"Type": "String"}
    templates.admit(group, CidrIp={"Ref": "Offices"}, FromPort=3306, ToPort=5432)
    return "REFUSED", "Offices"


def rule_of_a_program(templates: Templates) -> Said:
    """Who is admitted is decided by a program."""
    group = templates.group(templates.database)
    token = "arn:aws:lambda:us-east-1:222233334444:function:added"
    templates.add(group, "Program", "Custom::Offices", ServiceToken=token)
    templates.admit(group, CidrIp={"Fn::GetAtt": ["Program", "Block"]}, FromPort=3306, ToPort=5432)
    return "REFUSED", "Block"


def macro(templates: Templates) -> Said:
    """A program rewrites the template when it is deployed."""
    templates.template(templates.database)["Transform"] = ["Added"]
    return "REFUSED", "macro", "Added"


def nested(templates: Templates) -> Said:
    """A template from elsewhere."""
    url = "https://example.s3.amazonaws.com/template.json"
    name = templates.add(templates.database, "Added", "AWS::CloudFormation::Stack", TemplateURL=url)
    return "REFUSED", name.rpartition(" ")[2]


def unknown_import(templates: Templates) -> Said:
    """A group that no stack of the assembly exports."""
    group = templates.group(templates.database)
    templates.admit(group, SourceSecurityGroupId={"Fn::ImportValue": "elsewhere"}, FromPort=1, ToPort=9999)
    return "REFUSED", "elsewhere"


def unknown_peer(templates: Templates) -> Said:
    """A group of another VPC, by its id."""
    group = templates.group(templates.database)
    templates.admit(group, SourceSecurityGroupId="sg-0123456789abcdef0", FromPort=1, ToPort=9999)
    return "sg-0123456789abcdef0", templates.database.name


def unknown_function(templates: Templates) -> Said:
    """A function that CloudFormation will have one day."""
    templates.properties(templates.group(templates.database))["SecurityGroupIngress"] = {"Fn::Ask": "someone"}
    return "REFUSED", "Fn::Ask"


def unmade_group(templates: Templates) -> Said:
    """The database wears a group that is in no template."""
    database = templates.database
    key = next(key for key in templates.properties(database) if "SecurityGroup" in key)
    templates.properties(database)[key] = ["sg-0fedcba9876543210"]
    return ("sg-0fedcba9876543210",)


_CHANGES: Final[Mapping[str, Change]] = {
    "peering": _beside_the_vpc("AWS::EC2::VPCPeeringConnection", VpcId="{vpc}", PeerVpcId="vpc-0123456789abcdef0"),
    "transit gateway": _beside_the_vpc(
        "AWS::EC2::TransitGatewayVpcAttachment", VpcId="{vpc}", SubnetIds="{subnets}", TransitGatewayId="tgw-1"
    ),
    "VPN": _beside_the_vpc("AWS::EC2::VPNGateway", Type="ipsec.1"),
    "client VPN": _beside_the_vpc("AWS::EC2::ClientVpnTargetNetworkAssociation", SubnetId="{subnet}"),
    "network ACL": _beside_the_vpc("AWS::EC2::NetworkAcl", VpcId="{vpc}"),
    "endpoint service": _beside_the_vpc("AWS::EC2::VPCEndpointService", NetworkLoadBalancerArns=[]),
    "resource gateway": _beside_the_vpc(
        "AWS::VpcLattice::ResourceGateway", VpcIdentifier="{vpc}", SubnetIds="{subnets}"
    ),
    "unknown type of AWS": _beside_the_vpc("AWS::Quantum::Tunnel", SubnetIds="{subnets}"),
    "type of another vendor": _beside_the_vpc("Vendor::Network::Appliance", Subnet="{subnet}"),
    "module": _beside_the_vpc("Vendor::Network::Tunnel::MODULE", Subnet="{subnet}"),
    "cluster of Kubernetes": cluster,
    "rule of a parameter without a value": rule_of_a_parameter,
    "rule of a custom resource": rule_of_a_program,
    "macro": macro,
    "nested stack from elsewhere": nested,
    "import of what nobody exports": unknown_import,
    "peer that no template makes": unknown_peer,
    "unknown function": unknown_function,
    "group that no template makes": unmade_group,
}

UNMODELLED: Final[Mapping[str, Defect]] = {
    name: Defect(name, change, tuple(Application)) for name, change in _CHANGES.items()
}
