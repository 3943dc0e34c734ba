"""What serves people, works behind it, and builds both."""

from typing import Any

from tests.infra.assurance.other_application.foundation import sub
from tests.infra.assurance.other_application.store import FOUNDATION, imported, subnets

IMAGE = "${AWS::AccountId}.dkr.ecr.${AWS::Region}.${AWS::URLSuffix}/${Images}"
PARAMETERS: dict[str, Any] = {
    **FOUNDATION,
    "Store": {"Type": "String", "Default": "bookshop-store"},
    "Certificate": {
        "Type": "String",
        "Default": "arn:aws:acm:us-east-1:222233334444:certificate/11112222-3333-4444-5555-666677778888",
    },
}


def stored(name: str) -> dict[str, Any]:
    """What the store's stack exports."""
    return {"Fn::ImportValue": sub("${Store}:" + name)}


def shop() -> dict[str, Any]:
    """The template."""
    return {
        "Parameters": PARAMETERS,
        "Resources": {**_door(), **_web(), **_worker(), **_delivery(), **_endpoints()},
        "Outputs": {"Address": {"Value": sub("https://${Door.DNSName}")}},
    }


def role(service: str, *statements: dict[str, Any], managed: tuple[str, ...] = ()) -> dict[str, Any]:
    """A role of a service with one policy of its own."""
    policy = {"Version": "2012-10-17", "Statement": list(statements)}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {
                "Version": "2012-10-17",
                "Statement": {"Effect": "Allow", "Principal": {"Service": [service]}, "Action": ["sts:AssumeRole"]},
            },
            **({"Policies": [{"PolicyName": "own", "PolicyDocument": policy}]} if statements else {}),
            **({"ManagedPolicyArns": [sub(f"arn:${{AWS::Partition}}:iam::aws:policy/{name}") for name in managed]}
               if managed else {}),
        },
    }  # fmt: skip


def allow(actions: list[str], resource: Any) -> dict[str, Any]:
    """A statement."""
    return {"Effect": "Allow", "Action": actions, "Resource": resource}


def _door() -> dict[str, Any]:
    return {
        "Door": {
            "Type": "AWS::ElasticLoadBalancingV2::LoadBalancer",
            "Properties": {
                "Type": "application",
                "Scheme": "internet-facing",
                "IpAddressType": "dualstack",
                "SubnetMappings": [{"SubnetId": {"Fn::Select": [number, subnets("entry")]}} for number in range(2)],
                "SecurityGroups": [imported("doorgroup")],
                "LoadBalancerAttributes": [
                    {"Key": "deletion_protection.enabled", "Value": True},
                    {"Key": "routing.http.drop_invalid_header_fields.enabled", "Value": "true"},
                ],
            },
        },
        "Https": {
            "Type": "AWS::ElasticLoadBalancingV2::Listener",
            "Properties": {
                "LoadBalancerArn": {"Ref": "Door"},
                "Port": 443,
                "Protocol": "HTTPS",
                "SslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
                "Certificates": [{"CertificateArn": {"Ref": "Certificate"}}],
                "DefaultActions": [
                    {
                        "Type": "forward",
                        "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": {"Ref": "Tasks"}, "Weight": 1}]},
                    }
                ],
            },
        },
        "Tasks": {
            "Type": "AWS::ElasticLoadBalancingV2::TargetGroup",
            "Properties": {
                "VpcId": imported("vpc"),
                "TargetType": "ip",
                "Protocol": "HTTPS",
                "Port": 9443,
                "HealthCheckProtocol": "HTTPS",
                "HealthCheckPath": "/up",
            },
        },
        "Firewall": {
            "Type": "AWS::WAFv2::WebACL",
            "Properties": {
                "Scope": "REGIONAL",
                "DefaultAction": {"Allow": {}},
                "VisibilityConfig": {
                    "CloudWatchMetricsEnabled": True,
                    "MetricName": "bookshop",
                    "SampledRequestsEnabled": False,
                },
                "Rules": [],
            },
        },
        "FirewallOnDoor": {
            "Type": "AWS::WAFv2::WebACLAssociation",
            "Properties": {"ResourceArn": {"Ref": "Door"}, "WebACLArn": {"Fn::GetAtt": ["Firewall", "Arn"]}},
        },
    }


def _web() -> dict[str, Any]:
    return {
        "Images": {
            "Type": "AWS::ECR::Repository",
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": {
                "ImageTagMutability": "IMMUTABLE",
                "ImageScanningConfiguration": {"ScanOnPush": True},
                "EncryptionConfiguration": {"EncryptionType": "KMS"},
            },
        },
        "WebLogs": {
            "Type": "AWS::Logs::LogGroup",
            "Properties": {"LogGroupName": "/bookshop/web", "RetentionInDays": 90, "KmsKeyId": imported("key")},
        },
        "Cluster": {"Type": "AWS::ECS::Cluster"},
        "WebStart": role(
            "ecs-tasks.amazonaws.com",
            allow(["ecr:GetAuthorizationToken"], "*"),
            allow(
                ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
                {"Fn::GetAtt": "Images.Arn"},
            ),
            allow(["logs:CreateLogStream", "logs:PutLogEvents"], {"Fn::GetAtt": "WebLogs.Arn"}),
            allow(["secretsmanager:GetSecretValue"], stored("login")),
            allow(["kms:Decrypt"], imported("key")),
        ),
        "WebRole": role(
            "ecs-tasks.amazonaws.com",
            allow(["s3:GetObject"], _pictures()),
            allow(["kms:Decrypt"], imported("key")),
        ),
        "Web": {
            "Type": "AWS::ECS::TaskDefinition",
            "Properties": {
                "Family": "bookshop-web",
                "NetworkMode": "awsvpc",
                "RequiresCompatibilities": ["FARGATE"],
                "Cpu": "512",
                "Memory": "1024",
                "ExecutionRoleArn": {"Fn::GetAtt": "WebStart.Arn"},
                "TaskRoleArn": {"Fn::GetAtt": "WebRole.Arn"},
                "ContainerDefinitions": [
                    {
                        "Name": "web",
                        "Image": sub(f"{IMAGE}:7"),
                        "Essential": True,
                        "User": "1000:1000",
                        "ReadonlyRootFilesystem": True,
                        "Privileged": False,
                        "LinuxParameters": {"Capabilities": {"Drop": ["ALL"]}, "InitProcessEnabled": True},
                        "PortMappings": [{"ContainerPort": 9443}],
                        "Environment": [{"Name": "ORDERS_HOST", "Value": stored("orders-host")}],
                        "Secrets": [{"Name": "ORDERS_PASSWORD", "ValueFrom": _password()}],
                        "LogConfiguration": {
                            "LogDriver": "awslogs",
                            "Options": {
                                "awslogs-group": {"Ref": "WebLogs"},
                                "awslogs-region": {"Ref": "AWS::Region"},
                                "awslogs-stream-prefix": "web",
                            },
                        },
                    }
                ],
            },
        },
        "WebService": {
            "Type": "AWS::ECS::Service",
            "DependsOn": "Https",
            "Properties": {
                "Cluster": {"Fn::GetAtt": "Cluster.Arn"},
                "TaskDefinition": {"Ref": "Web"},
                "LaunchType": "FARGATE",
                "DesiredCount": 2,
                "NetworkConfiguration": {
                    "AwsvpcConfiguration": {
                        "AssignPublicIp": "DISABLED",
                        "Subnets": subnets("work"),
                        "SecurityGroups": [imported("webgroup")],
                    }
                },
                "LoadBalancers": [{"ContainerName": "web", "ContainerPort": 9443, "TargetGroupArn": {"Ref": "Tasks"}}],
            },
        },
    }


def _pictures() -> dict[str, Any]:
    """`Fn::Sub` with a name of its own for what another stack exports."""
    return {
        "Fn::Sub": ["arn:${AWS::Partition}:s3:::${StorePictures}/*", {"StorePictures": stored("pictures")}],
    }


def _password() -> dict[str, Any]:
    return {"Fn::Join": ["", [stored("login"), ":password::"]]}


def _worker() -> dict[str, Any]:
    return {
        "WorkerLogs": {
            "Type": "AWS::Logs::LogGroup",
            "Properties": {"LogGroupName": "/bookshop/worker", "RetentionInDays": 90, "KmsKeyId": imported("key")},
        },
        "WorkerRole": role(
            "lambda.amazonaws.com",
            allow(["secretsmanager:GetSecretValue"], stored("login")),
            allow(["kms:Decrypt", "kms:GenerateDataKey"], imported("key")),
            allow(["s3:GetObject", "s3:PutObject"], _pictures()),
            managed=("service-role/AWSLambdaVPCAccessExecutionRole",),
        ),
        "Worker": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Runtime": "python3.13",
                "Handler": "worker.handle",
                "Code": {"S3Bucket": "bookshop-code", "S3Key": "worker.zip"},
                "Role": {"Fn::GetAtt": "WorkerRole.Arn"},
                "KmsKeyArn": imported("key"),
                "LoggingConfig": {"LogGroup": {"Ref": "WorkerLogs"}},
                "Environment": {"Variables": {"LOGIN": stored("login"), "PICTURES": stored("pictures")}},
                "VpcConfig": {"SubnetIds": subnets("work"), "SecurityGroupIds": [imported("workergroup")]},
            },
        },
    }


def _delivery() -> dict[str, Any]:
    return {
        "BuildLogs": {
            "Type": "AWS::Logs::LogGroup",
            "Properties": {"LogGroupName": "/bookshop/build", "RetentionInDays": 90, "KmsKeyId": imported("key")},
        },
        "BuildRole": role(
            "codebuild.amazonaws.com",
            allow(["logs:CreateLogStream", "logs:PutLogEvents"], {"Fn::GetAtt": "BuildLogs.Arn"}),
            allow(["ecr:GetAuthorizationToken"], "*"),
            allow(
                ["ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage"],
                {"Fn::GetAtt": "Images.Arn"},
            ),
        ),
        "Build": {
            "Type": "AWS::CodeBuild::Project",
            "Properties": {
                "ServiceRole": {"Fn::GetAtt": "BuildRole.Arn"},
                "EncryptionKey": imported("key"),
                "Source": {"Type": "GITHUB", "Location": "https://github.com/example/bookshop.git"},
                "Artifacts": {"Type": "NO_ARTIFACTS"},
                "Environment": {
                    "Type": "LINUX_CONTAINER",
                    "ComputeType": "BUILD_GENERAL1_SMALL",
                    "Image": "aws/codebuild/standard:7.0",
                    "PrivilegedMode": False,
                    "EnvironmentVariables": [{"Name": "SHOP", "Type": "PLAINTEXT", "Value": "bookshop"}],
                },
                "LogsConfig": {"CloudWatchLogs": {"Status": "ENABLED", "GroupName": {"Ref": "BuildLogs"}}},
            },
        },
    }


def _endpoints() -> dict[str, Any]:
    return {
        f"To{name}": {
            "Type": "AWS::EC2::VPCEndpoint",
            "Properties": {
                "VpcEndpointType": "Interface",
                "ServiceName": sub(f"com.amazonaws.${{AWS::Region}}.{service}"),
                "VpcId": imported("vpc"),
                "SubnetIds": subnets("work"),
                "SecurityGroupIds": [imported("apigroup")],
                "PrivateDnsEnabled": True,
            },
        }
        for name, service in {"Secrets": "secretsmanager", "Logs": "logs", "Images": "ecr.dkr"}.items()
    }
