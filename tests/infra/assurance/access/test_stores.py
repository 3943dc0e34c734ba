"""Who reads what is stored: objects with their key, images, tables, queues."""

from pathlib import Path
from typing import Any

import pytest

from infra.assurance.facts import Relation
from tests.infra.assurance.access.asked import FOREIGN, HOME, Resources, allow, arn, asked, key, policy, role

ROOT = f"root of {HOME}"
GET = "s3:GetObject"


def bucket(**encryption: Any) -> Resources:
    rule = {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", **encryption}}
    properties = {"BucketName": "shelf", "BucketEncryption": {"ServerSideEncryptionConfiguration": [rule]}}
    return {"Type": "AWS::S3::Bucket", "Properties": properties if encryption else {"BucketName": "shelf"}}


def bucket_policy(*statements: Resources) -> Resources:
    return {
        "Type": "AWS::S3::BucketPolicy",
        "Properties": {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": policy(*statements)},
    }


def readers(folder: Path, resources: Resources, relation: Relation = Relation.READS) -> set[str]:
    return {row[0] for row in asked(folder, resources).of(relation)} - {ROOT}


def test_objects_are_read_with_their_key(tmp_path: Path) -> None:
    resources = {
        "Key": key(),
        "Bucket": bucket(KMSMasterKeyID=arn("Key")),
        "Reader": role(allow(GET, "arn:aws:s3:::shelf/*"), allow("kms:Decrypt", arn("Key"))),
        "Keyless": role(allow(GET, "arn:aws:s3:::shelf/*")),
    }
    assert readers(tmp_path, resources) == {"Reader"}
    assert readers(tmp_path / "plain", {**resources, "Bucket": bucket()}) == {"Reader", "Keyless"}


@pytest.mark.parametrize(
    "resource",
    ["arn:aws:s3:::shelf/logs/*", "arn:aws:s3:::sh*/one/object", "arn:aws:s3:::*/logs/?", "arn:aws:s3:::sh*.log"],
)
def test_a_part_of_a_bucket_is_read_too(tmp_path: Path, resource: str) -> None:
    assert readers(tmp_path, {"Bucket": bucket(), "Reader": role(allow("s3:Get*", resource))}) == {"Reader"}


def test_who_only_writes_reads_nothing(tmp_path: Path) -> None:
    writer = role(allow(["s3:PutObject", "s3:DeleteObject"], "arn:aws:s3:::shelf/exports/*"))
    resources = {"Bucket": bucket(), "Writer": writer, "Reader": role(allow(GET, "arn:aws:s3:::shelf/exp*"))}
    assert readers(tmp_path, resources) == {"Reader"}


def test_the_bucket_itself_is_no_object(tmp_path: Path) -> None:
    assert not readers(tmp_path, {"Bucket": bucket(), "Lister": role(allow("s3:*", "arn:aws:s3:::shelf"))})


@pytest.mark.parametrize(
    ("principal", "who"),
    [
        ("*", "anyone"),
        ({"AWS": FOREIGN}, f"account {FOREIGN}"),
        ({"CanonicalUser": "abc"}, "canonical user abc"),
        ({"Service": "cloudfront.amazonaws.com"}, "service cloudfront.amazonaws.com"),
    ],
)
def test_whom_a_bucket_lets_in_reads_it(tmp_path: Path, principal: Any, who: str) -> None:
    opened = bucket_policy(allow(GET, "arn:aws:s3:::shelf/*", Principal=principal))
    assert readers(tmp_path, {"Bucket": bucket(), "Policy": opened}) == {who}


def test_a_policy_in_another_stack_counts(tmp_path: Path) -> None:
    opened = allow(GET, "arn:aws:s3:::shelf/*", Principal="*")
    attached = {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": "shelf", "PolicyDocument": policy(opened)}}
    answer = asked(tmp_path, {"Bucket": bucket()}, {"Policy": attached})
    assert ("anyone", "Bucket") in answer.of(Relation.READS)


def test_an_acl_opens_a_bucket(tmp_path: Path) -> None:
    opened = bucket()
    opened["Properties"]["AccessControl"] = "PublicRead"
    assert readers(tmp_path, {"Bucket": opened}) == {"anyone"}


def test_what_only_tls_excepts_is_open_to_who_uses_it(tmp_path: Path) -> None:
    insecure = {"Bool": {"aws:SecureTransport": "false"}}
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": insecure}
    resources = {"Bucket": bucket(), "Policy": bucket_policy(deny), "Reader": role(allow(GET))}
    assert readers(tmp_path, resources) == {"Reader"}


def test_an_image_is_pulled_by_two_actions(tmp_path: Path) -> None:
    both = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    resources = {
        "Repository": {"Type": "AWS::ECR::Repository"},
        "Puller": role(allow(both, arn("Repository"))),
        "Half": role(allow(both[0], arn("Repository"))),
    }
    assert readers(tmp_path, resources, Relation.PULLS) == {"Puller"}


def test_a_repository_that_is_only_named_counts(tmp_path: Path) -> None:
    image = f"{HOME}.dkr.ecr.us-east-1.amazonaws.com/shop/web:1"
    task = {"Type": "AWS::ECS::TaskDefinition", "Properties": {"ContainerDefinitions": [{"Image": image}]}}
    named = f"arn:aws:ecr:us-east-1:{HOME}:repository/shop/web"
    answer = asked(tmp_path, {"Task": task, "Puller": role(allow("ecr:*", named))})
    assert answer.of(Relation.PULLS) == {("Puller", f"repository {named}"), (ROOT, f"repository {named}")}


@pytest.mark.parametrize(
    ("type_", "action"),
    [
        ("AWS::DynamoDB::Table", "dynamodb:Scan"),
        ("AWS::SQS::Queue", "sqs:ReceiveMessage"),
        ("AWS::SNS::Topic", "sns:Subscribe"),
        ("AWS::Kinesis::Stream", "kinesis:GetRecords"),
        ("AWS::Backup::BackupVault", "backup:CopyFromBackupVault"),
    ],
)
def test_other_stores_are_read(tmp_path: Path, type_: str, action: str) -> None:
    properties = {"BackupVaultName": "Store"} if "Backup" in type_ else {}
    store = {"Type": type_, "Properties": properties}
    resources = {"Store": store, "Reader": role(allow(action)), "Other": role(allow("ec2:*"))}
    assert readers(tmp_path, resources) == {"Reader"}


def test_a_queue_lets_in_by_its_policy(tmp_path: Path) -> None:
    statement = allow("sqs:*", Principal={"AWS": FOREIGN})
    attached = {"Queues": [{"Ref": "Queue"}], "PolicyDocument": policy(statement)}
    resources = {
        "Queue": {"Type": "AWS::SQS::Queue"},
        "Policy": {"Type": "AWS::SQS::QueuePolicy", "Properties": attached},
    }
    assert readers(tmp_path, resources) == {f"account {FOREIGN}"}


def test_a_policy_on_what_no_template_makes_opens_it(tmp_path: Path) -> None:
    opened = allow(GET, "arn:aws:s3:::elsewhere/*", Principal="*")
    attached = {
        "Type": "AWS::S3::BucketPolicy",
        "Properties": {"Bucket": "elsewhere", "PolicyDocument": policy(opened)},
    }
    queue = {"Queues": ["https://sqs.us-east-1.amazonaws.com/111122223333/theirs"]}
    statement = allow("sqs:*", Principal={"AWS": FOREIGN})
    queues = {"Type": "AWS::SQS::QueuePolicy", "Properties": {**queue, "PolicyDocument": policy(statement)}}
    rows = asked(tmp_path, {"Policy": attached, "Queues": queues}).of(Relation.READS)
    assert ("anyone", "bucket arn:aws:s3:::elsewhere") in rows
    assert (f"account {FOREIGN}", f"sqs arn:aws:sqs:us-east-1:{HOME}:theirs") in rows


def test_files_without_a_policy_are_for_whoever_reaches_them(tmp_path: Path) -> None:
    files: Resources = {"Type": "AWS::EFS::FileSystem"}
    assert "anyone" in readers(tmp_path / "open", {"Files": files})
    mount = allow("elasticfilesystem:ClientMount", Principal={"AWS": arn("Reader")})
    files["Properties"] = {"FileSystemPolicy": policy(mount)}
    assert readers(tmp_path / "named", {"Files": files, "Reader": role()}) == {"Reader"}


def test_a_table_has_its_policy_wrapped(tmp_path: Path) -> None:
    statement = allow("dynamodb:*", Principal={"AWS": FOREIGN})
    table = {"ResourcePolicy": {"PolicyDocument": policy(statement)}}
    resources = {"Table": {"Type": "AWS::DynamoDB::Table", "Properties": table}}
    assert readers(tmp_path, resources) == {f"account {FOREIGN}"}
