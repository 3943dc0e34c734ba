"""What keeps data: orders in MySQL, baskets in Redis, pictures in a bucket."""

from typing import Any

from tests.infra.assurance.other_application.foundation import export, sub

FOUNDATION = {"Foundation": {"Type": "String", "Default": "bookshop-foundation"}}


def imported(name: str) -> dict[str, Any]:
    """What the foundation exports."""
    return {"Fn::ImportValue": sub("${Foundation}:" + name)}


def subnets(kind: str) -> dict[str, Any]:
    """The ids of two subnets, which are exported as one text."""
    return {"Fn::Split": [",", imported(kind)]}


def store() -> dict[str, Any]:
    """The template."""
    return {
        "Parameters": {**FOUNDATION, "DatabasePort": {"Type": "Number", "Default": 3306}},
        "Resources": {**_orders(), **_baskets(), **_pictures()},
        "Outputs": {
            "Login": export({"Ref": "Login"}, "login"),
            "Pictures": export({"Ref": "Pictures"}, "pictures"),
            "OrdersHost": export({"Fn::GetAtt": "Orders.Endpoint.Address"}, "orders-host"),
            "BasketsHost": export({"Fn::GetAtt": "Baskets.PrimaryEndPoint.Address"}, "baskets-host"),
        },
    }


def _orders() -> dict[str, Any]:
    return {
        "Login": {
            "Type": "AWS::SecretsManager::Secret",
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": {
                "KmsKeyId": imported("key"),
                "GenerateSecretString": {
                    "SecretStringTemplate": '{"username": "keeper"}',
                    "GenerateStringKey": "password",
                    "PasswordLength": 40,
                    "ExcludeCharacters": '"@/\\',
                },
            },
        },
        "OrdersSubnets": {
            "Type": "AWS::RDS::DBSubnetGroup",
            "Properties": {"DBSubnetGroupDescription": "Data", "SubnetIds": subnets("data")},
        },
        "OrdersParameters": {
            "Type": "AWS::RDS::DBParameterGroup",
            "Properties": {
                "Description": "TLS only",
                "Family": "mysql8.4",
                "Parameters": {"require_secure_transport": "ON", "tls_version": "TLSv1.2,TLSv1.3"},
            },
        },
        "Orders": {
            "Type": "AWS::RDS::DBInstance",
            "DeletionPolicy": "Snapshot",
            "UpdateReplacePolicy": "Snapshot",
            "Properties": {
                "Engine": "mysql",
                "EngineVersion": "8.4.5",
                "DBInstanceClass": "db.t4g.medium",
                "AllocatedStorage": "50",
                "Port": {"Ref": "DatabasePort"},
                "MasterUsername": sub("{{resolve:secretsmanager:${Login}:SecretString:username}}"),
                "MasterUserPassword": sub("{{resolve:secretsmanager:${Login}:SecretString:password}}"),
                "DBSubnetGroupName": {"Ref": "OrdersSubnets"},
                "DBParameterGroupName": {"Ref": "OrdersParameters"},
                "VPCSecurityGroups": [imported("ordersgroup")],
                "StorageEncrypted": True,
                "KmsKeyId": imported("key"),
                "MultiAZ": True,
                "PubliclyAccessible": False,
                "DeletionProtection": True,
                "BackupRetentionPeriod": 14,
                "CopyTagsToSnapshot": True,
                "EnableCloudwatchLogsExports": ["error", "audit"],
                "EnableIAMDatabaseAuthentication": False,
            },
        },
    }


def _baskets() -> dict[str, Any]:
    return {
        "BasketsSubnets": {
            "Type": "AWS::ElastiCache::SubnetGroup",
            "Properties": {"Description": "Data", "SubnetIds": subnets("data")},
        },
        "Baskets": {
            "Type": "AWS::ElastiCache::ReplicationGroup",
            "DeletionPolicy": "Snapshot",
            "UpdateReplacePolicy": "Snapshot",
            "Properties": {
                "ReplicationGroupDescription": "Baskets",
                "Engine": "redis",
                "CacheNodeType": "cache.t4g.small",
                "NumCacheClusters": 2,
                "AutomaticFailoverEnabled": True,
                "MultiAZEnabled": True,
                "Port": 6379,
                "CacheSubnetGroupName": {"Ref": "BasketsSubnets"},
                "SecurityGroupIds": [imported("basketsgroup")],
                "AtRestEncryptionEnabled": True,
                "KmsKeyId": imported("key"),
                "TransitEncryptionEnabled": True,
                "TransitEncryptionMode": "required",
                "SnapshotRetentionLimit": 7,
            },
        },
    }


def _pictures() -> dict[str, Any]:
    return {
        "Pictures": {
            "Type": "AWS::S3::Bucket",
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": {
                "BucketEncryption": {
                    "ServerSideEncryptionConfiguration": [
                        {
                            "BucketKeyEnabled": True,
                            "ServerSideEncryptionByDefault": {
                                "SSEAlgorithm": "aws:kms",
                                "KMSMasterKeyID": imported("key"),
                            },
                        }
                    ]
                },
                "PublicAccessBlockConfiguration": {
                    "BlockPublicAcls": True,
                    "BlockPublicPolicy": True,
                    "IgnorePublicAcls": True,
                    "RestrictPublicBuckets": True,
                },
                "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
                "VersioningConfiguration": {"Status": "Enabled"},
            },
        },
        "PicturesPolicy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {
                "Bucket": {"Ref": "Pictures"},
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Sid": "TlsOnly",
                            "Effect": "Deny",
                            "Principal": "*",
                            "Action": "s3:*",
                            "Resource": [{"Fn::GetAtt": "Pictures.Arn"}, sub("${Pictures.Arn}/*")],
                            "Condition": {"Bool": {"aws:SecureTransport": False}},
                        }
                    ],
                },
            },
        },
    }
