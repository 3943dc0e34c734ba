"""Everything at rest is under a key of our own, and each key opens what it is for to those who need it."""

from fnmatch import fnmatchcase
from typing import Any

from tests.infra.data.stateful import holds_data
from tests.infra.promise import Mutation, Stacks, promise, setting, without
from tests.infra.template import Json, as_list, reference

ENCRYPTION = {
    "AWS::Backup::BackupVault": "EncryptionKeyArn",
    "AWS::Logs::LogGroup": "KmsKeyId",
    "AWS::OpenSearchService::Domain": "EncryptionAtRestOptions.KmsKeyId",
    "AWS::RDS::DBCluster": "KmsKeyId",
    "AWS::SQS::Queue": "KmsMasterKeyId",
    "AWS::SecretsManager::Secret": "KmsKeyId",
}
"""Where a type that holds data names its key."""
OF_THE_CLUSTER = "AWS::RDS::DBInstance"
"""Encrypted as its cluster is, and told nothing itself."""
BALANCER_LOGS = "elasticloadbalancing"
"""Load balancers write only to buckets under a key of S3's (Elastic Load Balancing guide, "Access logs")."""


def _at(value: Any, path: str) -> Any:
    for name in path.split("."):
        value = value.get(name, {})
    return value


def _bucket_key(bucket: Json) -> Any:
    rules = bucket.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration", [{}])
    return rules[0].get("ServerSideEncryptionByDefault", {}).get("KMSMasterKeyID")


def _statements(key: Json) -> list[Json]:
    return key["KeyPolicy"]["Statement"]


def _key(stacks: Stacks, purpose: str) -> Json:
    """The key behind an alias, at home, not in the region of the copies."""
    wanted = f"alias/{stacks.settings.resource_name(purpose)}"
    for template in (t for name, t in stacks.templates.items() if name != "BackupCopy"):
        for alias in template.properties("AWS::KMS::Alias"):
            if alias["AliasName"] == wanted:
                return template.resources("AWS::KMS::Key")[reference(alias["TargetKeyId"])]["Properties"]
    raise AssertionError(f"no key {wanted}")


def _statement_of(principal: str, *, stacks: Stacks, purpose: str) -> Json:
    found = [s for s in _statements(_key(stacks, purpose)) if principal in str(s["Principal"])]
    assert len(found) == 1, f"{len(found)} statements for {principal}"
    return found[0]


def _change_statements(purpose: str, change: str, value: object) -> Mutation:
    """Set or (``None``) remove something of every statement of a key's policy."""

    def mutate(stacks: Stacks) -> None:
        for statement in _statements(_key(stacks, purpose)):
            statement.pop(change, None)
            if value is not None:
                statement[change] = value

    return mutate


def _aliases(stacks: Stacks) -> list[tuple[str, Json]]:
    return [(name, alias) for name, t in stacks.templates.items() for alias in t.properties("AWS::KMS::Alias")]


@promise(
    not_replaced=setting("AWS::KMS::Key", "EnableKeyRotation", value=False),
    no_aliases=without("AWS::KMS::Alias"),
)
def test_every_key_is_replaced_each_year_and_serves_one_purpose(stacks: Stacks) -> None:
    keys = stacks.properties("AWS::KMS::Key")
    assert all(key.get("EnableKeyRotation") is True for key in keys)
    keys += stacks.properties("AWS::KMS::ReplicaKey")
    # The other region has aliases of its own.
    apart = [(stack == "BackupCopy", a["AliasName"]) for stack, a in _aliases(stacks)]
    aliases = [alias for _, alias in apart]
    assert len(apart) == len(set(apart)) == len(keys)
    assert all(alias.startswith(f"alias/{stacks.settings.resource_name()}-") for alias in aliases)


@promise(
    vault=without("AWS::Backup::BackupVault", "EncryptionKeyArn"),
    log_group=without("AWS::Logs::LogGroup", "KmsKeyId"),
    domain=setting("AWS::OpenSearchService::Domain", "EncryptionAtRestOptions", {"Enabled": True}),
    domain_off=setting("AWS::OpenSearchService::Domain", "EncryptionAtRestOptions.Enabled", value=False),
    cluster_key=without("AWS::RDS::DBCluster", "KmsKeyId"),
    cluster=setting("AWS::RDS::DBCluster", "StorageEncrypted", value=False),
    cluster_unset=without("AWS::RDS::DBCluster", "StorageEncrypted"),
    secret=without("AWS::SecretsManager::Secret", "KmsKeyId"),
    secret_of_aws=setting("AWS::SecretsManager::Secret", "KmsKeyId", "alias/aws/secretsmanager"),
    administrator=without("AWS::RDS::DBCluster", "MasterUserSecret"),
    insights=without("AWS::RDS::DBCluster", "PerformanceInsightsKmsKeyId"),
)
def test_everything_at_rest_is_encrypted_with_a_key_of_our_own(stacks: Stacks) -> None:
    wrong: list[str] = []
    for template in stacks.templates.values():
        own = set(template.resources("AWS::KMS::Key"))
        for name, resource in template.resources().items():
            kind, properties = resource["Type"], resource.get("Properties", {})
            if not holds_data(kind) or kind in {"AWS::KMS::Key", OF_THE_CLUSTER}:
                continue
            if kind == "AWS::S3::Bucket":
                if BALANCER_LOGS in str(template.properties("AWS::S3::BucketPolicy")) and not _bucket_key(properties):
                    continue
                key = _bucket_key(properties)
            else:
                assert kind in ENCRYPTION, f"where does {kind} name its key?"
                key = _at(properties, ENCRYPTION[kind])
            if not key or isinstance(key, str) or not (reference(key) in own or "Key" in reference(key)):
                wrong.append(f"{template.stack} {name}")
    assert wrong == []
    cluster = stacks["Data"].only("AWS::RDS::DBCluster")
    assert cluster.get("StorageEncrypted") is True
    assert "SecretsKey" in reference(cluster.get("MasterUserSecret", {}).get("KmsKeyId", ""))
    assert bool(cluster.get("PerformanceInsightsEnabled")) == bool(cluster.get("PerformanceInsightsKmsKeyId"))
    domain = stacks["Data"].only("AWS::OpenSearchService::Domain")
    assert domain["EncryptionAtRestOptions"]["Enabled"] is True


@promise(
    anybody=setting("AWS::KMS::Key", "KeyPolicy.Statement.0.Action", "kms:*"),
    not_through_a_service=_change_statements("users", "Condition", None),
    memory_through_another=_change_statements(
        "memory", "Condition", {"StringEquals": {"kms:ViaService": ["rds.us-east-1.amazonaws.com"]}}
    ),
    secrets_by_grant=_change_statements("secrets", "Action", ["kms:Decrypt", "kms:PutKeyPolicy"]),
)
def test_nobody_decrypts_what_people_said_but_through_the_store_that_holds_it(stacks: Stacks) -> None:
    region = stacks.settings.account.region
    through = {"users": {"rds", "backup"}, "memory": {"es"}, "secrets": {"secretsmanager", "rds", "s3"}}
    for purpose, services in through.items():
        administer, use = _statements(_key(stacks, purpose))
        assert not [a for a in administer["Action"] if a in {"kms:*", "kms:Create*", "kms:CreateGrant"}], purpose
        assert not any(
            fnmatchcase(used, pattern)
            for used in ("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:CreateGrant")
            for pattern in as_list(administer["Action"])
        ), purpose
        via = use.get("Condition", {}).get("StringEquals", {}).get("kms:ViaService", [])
        assert set(as_list(via)) == {f"{service}.{region}.amazonaws.com" for service in services}, purpose


@promise(
    locked_out=_change_statements("users", "Action", ["kms:Decrypt"]),
)
def test_whoever_may_administer_a_key_can_change_its_policy_again(stacks: Stacks) -> None:
    account = stacks.settings.account.id
    for key in stacks.properties("AWS::KMS::Key"):
        root = [s for s in _statements(key) if f":iam::{account}:root" in str(s["Principal"])]
        may = [action for s in root if "Condition" not in s for action in as_list(s["Action"])]
        assert any(fnmatchcase("kms:PutKeyPolicy", pattern) for pattern in may)


@promise(
    forbidden=_change_statements("logs", "Principal", {"Service": "s3.amazonaws.com"}),
    another_group=_change_statements(
        "logs",
        "Condition",
        {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": ["arn:aws:logs:*:*:log-group:/other/*"]}},
    ),
    any_group=_change_statements(
        "logs", "Condition", {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": ["arn:aws:logs:*:*:log-group:*"]}}
    ),
    no_key=without("AWS::Logs::LogGroup", "KmsKeyId"),
    renamed=setting("AWS::Logs::LogGroup", "LogGroupName", "/elsewhere"),
)
def test_a_log_group_can_be_made_because_its_key_admits_cloudwatch(stacks: Stacks) -> None:
    """CloudWatch Logs asks for the key when the group is made, and finds its name in the key's policy."""
    account = stacks.settings.account
    statement = _statement_of(f"logs.{account.region}.amazonaws.com", stacks=stacks, purpose="logs")
    assert {"kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey*", "kms:Describe*"} <= set(statement["Action"])
    admitted = as_list(statement.get("Condition", {}).get("ArnLike", {}).get("kms:EncryptionContext:aws:logs:arn", []))
    names = [g["LogGroupName"] for g in stacks.properties("AWS::Logs::LogGroup")]
    assert names
    arns = [f"arn:aws:logs:{account.region}:{account.id}:log-group:{name}" for name in names]
    assert [arn for arn in arns if not any(fnmatchcase(arn, pattern) for pattern in admitted)] == []
    assert all(pattern.split(":log-group:")[1].count(stacks.settings.name) == 1 for pattern in admitted)
    assert all("LogsKey" in reference(g.get("KmsKeyId", "")) for g in stacks.properties("AWS::Logs::LogGroup"))


@promise(
    longer=setting("AWS::Logs::LogGroup", "RetentionInDays", 3653),
    for_ever=without("AWS::Logs::LogGroup", "RetentionInDays"),
)
def test_every_log_group_is_kept_as_long_as_the_settings_say(stacks: Stacks) -> None:
    kept = {group.get("RetentionInDays") for group in stacks.properties("AWS::Logs::LogGroup")}
    assert kept == {stacks.settings.logs.retention_days}


def _conditions(stacks: Stacks) -> None:
    here = {"StringEquals": {"aws:SourceAccount": stacks.settings.account.id}}
    for statement in [*_statements(_key(stacks, "alarms")), *_topic_statements(stacks)]:
        if "events.amazonaws.com" in str(statement["Principal"]):
            statement["Condition"] = here


def _topic_statements(stacks: Stacks) -> list[Json]:
    return [
        statement
        for policy in stacks["Operations"].properties("AWS::SNS::TopicPolicy")
        for statement in policy["PolicyDocument"]["Statement"]
    ]


@promise(
    condition=_conditions,
    key=_change_statements("alarms", "Principal", {"Service": "s3.amazonaws.com"}),
    topic=without("AWS::SNS::TopicPolicy"),
)
def test_what_eventbridge_sends_arrives_because_neither_topic_nor_key_ask_for_whom(stacks: Stacks) -> None:
    """It does not say so, and what it sends would be lost; CloudWatch says so, and is asked."""
    for sender, asked in (("cloudwatch", True), ("events", False)):
        principal = f"{sender}.amazonaws.com"
        on_topic = [s for s in _topic_statements(stacks) if principal in str(s["Principal"])]
        assert on_topic, sender
        for statement in (_statement_of(principal, stacks=stacks, purpose="alarms"), *on_topic):
            assert ("aws:SourceAccount" in str(statement.get("Condition"))) is asked, sender
