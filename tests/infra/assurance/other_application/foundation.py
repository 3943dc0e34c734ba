"""Network, security groups and the key: what the other two stacks import."""

from typing import Any

PARAMETERS: dict[str, Any] = {
    "Project": {"Type": "String", "Default": "bookshop"},
    "Size": {"Type": "String", "Default": "large", "AllowedValues": ["large", "small"]},
    "Network": {"Type": "String", "Default": "172.20.0.0/16"},
    "DataBlocks": {"Type": "CommaDelimitedList", "Default": "172.20.32.0/24,172.20.33.0/24"},
    "DatabasePort": {"Type": "Number", "Default": 3306},
}
ZONES = ("a", "b")


def sub(text: str) -> dict[str, Any]:
    """`Fn::Sub`."""
    return {"Fn::Sub": text}


def export(value: Any, name: str) -> dict[str, Any]:
    """An output that other stacks import."""
    return {"Value": value, "Export": {"Name": sub("${AWS::StackName}:" + name)}}


def tcp(port: Any, description: str, **other_side: Any) -> dict[str, Any]:
    """A rule of a security group."""
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "Description": description, **other_side}


def foundation() -> dict[str, Any]:
    """The template."""
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Network and key of a bookshop",
        "Parameters": PARAMETERS,
        "Mappings": {"Ipv6": {"us-east-1": {"Vpc": "2001:db8:1200:aa00::/56"}}},
        "Conditions": {"IsLarge": {"Fn::Equals": [{"Ref": "Size"}, "large"]}},
        "Resources": {**_network(), **_groups(), "Key": _key()},
        "Outputs": {
            "Vpc": export({"Ref": "Vpc"}, "vpc"),
            "Entry": export({"Fn::Join": [",", [{"Ref": "EntryA"}, {"Ref": "EntryB"}]]}, "entry"),
            "Work": export({"Fn::Join": [",", [{"Ref": "WorkA"}, {"Ref": "WorkB"}]]}, "work"),
            "Data": export({"Fn::Join": [",", [{"Ref": "DataA"}, {"Ref": "DataB"}]]}, "data"),
            "Key": export({"Fn::GetAtt": "Key.Arn"}, "key"),
            **{
                group: export({"Fn::GetAtt": f"{group}.GroupId"}, group.lower())
                for group in ("DoorGroup", "WebGroup", "WorkerGroup", "OrdersGroup", "BasketsGroup", "ApiGroup")
            },
        },
    }


def _network() -> dict[str, Any]:
    resources: dict[str, Any] = {
        "Vpc": {
            "Type": "AWS::EC2::VPC",
            "Properties": {"CidrBlock": {"Ref": "Network"}, "EnableDnsHostnames": True, "EnableDnsSupport": "true"},
        },
        "Ipv6": {
            "Type": "AWS::EC2::VPCCidrBlock",
            "Properties": {
                "VpcId": {"Ref": "Vpc"},
                "Ipv6CidrBlock": {"Fn::FindInMap": ["Ipv6", {"Ref": "AWS::Region"}, "Vpc"]},
                "Ipv6Pool": "ipv6pool-ec2-0123456789abcdef0",
            },
        },
        "Gateway": {"Type": "AWS::EC2::InternetGateway"},
        "GatewayAttached": {
            "Type": "AWS::EC2::VPCGatewayAttachment",
            "Properties": {"VpcId": {"Ref": "Vpc"}, "InternetGatewayId": {"Ref": "Gateway"}},
        },
        "FlowLog": {
            "Type": "AWS::EC2::FlowLog",
            "Properties": {
                "ResourceId": {"Ref": "Vpc"},
                "ResourceType": "VPC",
                "TrafficType": "ALL",
                "LogDestinationType": "cloud-watch-logs",
                "LogGroupName": {"Ref": "FlowLogs"},
                "DeliverLogsPermissionArn": {"Fn::GetAtt": ["FlowLogRole", "Arn"]},
            },
        },
        "FlowLogs": {
            "Type": "AWS::Logs::LogGroup",
            "Properties": {
                "LogGroupName": sub("/${Project}/flow"),
                "RetentionInDays": 90,
                "KmsKeyId": {"Fn::GetAtt": "Key.Arn"},
            },
        },
        "FlowLogRole": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": _trust("vpc-flow-logs.amazonaws.com"),
                "Policies": [
                    {
                        "PolicyName": "write",
                        "PolicyDocument": {
                            "Version": "2012-10-17",
                            "Statement": {
                                "Effect": "Allow",
                                "Action": ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
                                "Resource": {"Fn::GetAtt": ["FlowLogs", "Arn"]},
                            },
                        },
                    }
                ],
            },
        },
        "EntryRoutes": {"Type": "AWS::EC2::RouteTable", "Properties": {"VpcId": {"Ref": "Vpc"}}},
        "InnerRoutes": {"Type": "AWS::EC2::RouteTable", "Properties": {"VpcId": {"Ref": "Vpc"}}},
        "OutByIpv4": _route({"DestinationCidrBlock": "0.0.0.0/0"}),
        "OutByIpv6": _route({"DestinationIpv6CidrBlock": "::/0"}),
    }
    for number, zone in enumerate(ZONES):
        upper = zone.upper()
        data = {"Fn::Select": [number, {"Ref": "DataBlocks"}]}
        subnets = {"Entry": f"172.20.{number}.0/24", "Work": f"172.20.{16 + number}.0/24", "Data": data}
        for place, (kind, block) in enumerate(subnets.items()):
            # Every second IPv6 block of /64, entry first: …aa00, …aa01, …aa10, …
            resources[f"{kind}{upper}"] = {
                "Type": "AWS::EC2::Subnet",
                "DependsOn": "Ipv6",
                "Properties": {
                    "VpcId": {"Ref": "Vpc"},
                    "AvailabilityZone": sub("${AWS::Region}" + zone),
                    "CidrBlock": block,
                    "Ipv6CidrBlock": f"2001:db8:1200:aa{place}{number}::/64",
                    "MapPublicIpOnLaunch": False,
                },
            }
            resources[f"{kind}{upper}Routed"] = {
                "Type": "AWS::EC2::SubnetRouteTableAssociation",
                "Properties": {
                    "SubnetId": {"Ref": f"{kind}{upper}"},
                    "RouteTableId": {"Ref": "EntryRoutes" if kind == "Entry" else "InnerRoutes"},
                },
            }
    return resources


def _route(destination: dict[str, Any]) -> dict[str, Any]:
    return {
        "Type": "AWS::EC2::Route",
        "DependsOn": ["GatewayAttached"],
        "Properties": {"RouteTableId": {"Ref": "EntryRoutes"}, "GatewayId": {"Ref": "Gateway"}, **destination},
    }


def _groups() -> dict[str, Any]:
    """Most rules are written in the groups, towards addresses; two stand by themselves, one under a condition."""
    data = [{"CidrIp": {"Fn::Select": [number, {"Ref": "DataBlocks"}]}} for number in range(len(ZONES))]
    work = [{"CidrIp": f"172.20.{16 + number}.0/24"} for number in range(len(ZONES))]
    port = {"Ref": "DatabasePort"}
    return {
        "DoorGroup": _group(
            "The load balancer",
            [tcp(443, "People", CidrIp="0.0.0.0/0"), tcp(443, "People, by IPv6", CidrIpv6="::/0")],
            [tcp(9443, "To the shop", **block) for block in work],
        ),
        "WebGroup": _group(
            "The shop",
            [tcp("9443", "From the door", SourceSecurityGroupId={"Fn::GetAtt": "DoorGroup.GroupId"})],
            [
                *(tcp(port, "To the orders", **block) for block in data),
                *(tcp(6379, "To the baskets", **block) for block in data),
                *(tcp(443, "To services of AWS", **block) for block in work),
            ],
        ),
        "WorkerGroup": _group(
            "The worker",
            [],
            [
                *(tcp(port, "To the orders", **block) for block in data),
                *(tcp(443, "To services of AWS", **block) for block in work),
            ],
        ),
        "OrdersGroup": _group(
            "The orders",
            [
                tcp(port, "From the shop", SourceSecurityGroupId={"Ref": "WebGroup"}),
                {
                    "Fn::If": [
                        "IsLarge",
                        tcp(port, "From the worker", SourceSecurityGroupId={"Fn::GetAtt": ["WorkerGroup", "GroupId"]}),
                        {"Ref": "AWS::NoValue"},
                    ]
                },
            ],
            [tcp(1, "Nothing", CidrIp="127.0.0.1/32")],
        ),
        "BasketsGroup": _group("The baskets", [], [tcp(1, "Nothing", CidrIp="127.0.0.1/32")]),
        "BasketsFromShop": {
            "Type": "AWS::EC2::SecurityGroupIngress",
            "Properties": {
                "GroupId": {"Ref": "BasketsGroup"},
                "SourceSecurityGroupId": {"Ref": "WebGroup"},
                "IpProtocol": "6",
                "FromPort": "6379",
                "ToPort": "6379",
            },
        },
        "ApiGroup": _group(
            "Endpoints of AWS services",
            [tcp(443, "From within", **block) for block in work],
            [tcp(1, "Nothing", CidrIp="127.0.0.1/32")],
        ),
    }


def _group(description: str, ingress: list[Any], egress: list[Any]) -> dict[str, Any]:
    return {
        "Type": "AWS::EC2::SecurityGroup",
        "Properties": {
            "VpcId": {"Ref": "Vpc"},
            "GroupDescription": description,
            **({"SecurityGroupIngress": ingress} if ingress else {}),
            "SecurityGroupEgress": egress,
        },
    }


def _trust(service: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def _key() -> dict[str, Any]:
    """Administered by the account, used through the services that hold the data."""
    services = ["rds", "elasticache", "s3", "secretsmanager"]
    return {
        "Type": "AWS::KMS::Key",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": {
            "EnableKeyRotation": True,
            "KeyPolicy": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": "Administer",
                        "Effect": "Allow",
                        "Principal": {"AWS": sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root")},
                        "Action": [
                            "kms:Describe*",
                            "kms:Get*",
                            "kms:List*",
                            "kms:PutKeyPolicy",
                            "kms:EnableKeyRotation",
                        ],
                        "Resource": "*",
                    },
                    {
                        "Sid": "Data",
                        "Effect": "Allow",
                        "Principal": {"AWS": "*"},
                        "Action": ["kms:Decrypt", "kms:GenerateDataKey*", "kms:CreateGrant", "kms:DescribeKey"],
                        "Resource": "*",
                        "Condition": {
                            "StringEquals": {
                                "kms:CallerAccount": {"Ref": "AWS::AccountId"},
                                "kms:ViaService": [sub(f"{name}.${{AWS::Region}}.amazonaws.com") for name in services],
                            }
                        },
                    },
                    {
                        "Sid": "Logs",
                        "Effect": "Allow",
                        "Principal": {"Service": sub("logs.${AWS::Region}.amazonaws.com")},
                        "Action": ["kms:Decrypt", "kms:GenerateDataKey*", "kms:Encrypt", "kms:ReEncrypt*"],
                        "Resource": "*",
                        "Condition": {
                            "ArnLike": {
                                "kms:EncryptionContext:aws:logs:arn": sub(
                                    "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/${Project}/*"
                                )
                            }
                        },
                    },
                ],
            },
        },
    }
