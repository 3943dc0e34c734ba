"""Exports of keys: kept in versions, copied to where backups are, and touched by the roll alone."""

from tests.infra.compute.parts import family, statements
from tests.infra.guards.evaluation import allows
from tests.infra.promise import Stacks, promise, setting, without
from tests.infra.template import Json, as_list, reference

BUCKET, POLICY, ROLE = "AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::IAM::Role"
DONE = (
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "s3:GetObject",
    "s3:GetObjectVersion",
    "s3:PutObject",
    "s3:ReplicateDelete",
    "s3:ReplicateObject",
)
KEYS = {"Data": "SecretsKey", "BackupCopy": "SecretsKey"}


def _buckets(stacks: Stacks) -> dict[str, tuple[str, Json]]:
    """Logical id and properties, by the stack."""
    found: dict[str, tuple[str, Json]] = {}
    for name, template in stacks.templates.items():
        for logical_id, resource in template.resources(BUCKET).items():
            if "key-exports" in str(resource["Properties"].get("BucketName")):
                found[name] = logical_id, resource["Properties"]
    assert set(found) == ({"Data", "BackupCopy"} if stacks.settings.backup.copy_region else {"Data"})
    return found


def _policy(stacks: Stacks, stack: str, bucket: str) -> Json:
    (policy,) = [p for p in stacks[stack].properties(POLICY) if reference(p["Bucket"]) == bucket]
    # Transport is another test's: without TLS nobody gets in.
    said = [s for s in policy["PolicyDocument"]["Statement"] if "aws:Secure" not in str(s) and "s3:Tls" not in str(s)]
    return {"Statement": [{**s, "Resource": "*"} for s in said]}


def _one_more(stacks: Stacks) -> None:
    for statement in _denials(stacks):
        statement["Condition"]["ArnNotEquals"]["aws:PrincipalArn"].append(_arn(stacks, "Admin"))


def _reading_alone(stacks: Stacks) -> None:
    for statement in _denials(stacks):
        statement["Action"] = ["s3:GetObject*"]


def _not_denied(stacks: Stacks) -> None:
    for statement in _denials(stacks):
        statement["Effect"] = "Allow"


def _nobody(stacks: Stacks) -> None:
    for statement in _denials(stacks):
        statement["Condition"] = {}


def _denials(stacks: Stacks) -> list[Json]:
    policies = [p["PolicyDocument"]["Statement"] for p in stacks.properties(POLICY)]
    return [s for said in policies for s in said if "ArnNotEquals" in s.get("Condition", {})]


def _arn(stacks: Stacks, name: str) -> str:
    return f"arn:aws:iam::{stacks.settings.account.id}:role/{name}"


@promise(one_more=_one_more, reading_alone=_reading_alone, not_denied=_not_denied, nobody=_nobody)
def test_only_the_roll_and_the_copying_touch_an_export_however_much_others_are_allowed(stacks: Stacks) -> None:
    wide = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    roll, copying = family(stacks, "backend", "roll_keys"), stacks.settings.resource_name("key_exports")
    for stack, (bucket, _) in _buckets(stacks).items():
        policy = _policy(stacks, stack, bucket)
        policy["Statement"].append(wide)
        admitted = {roll, copying} if stacks.settings.backup.copy_region else {roll}
        for name in (roll, copying, family(stacks, "backend"), "Admin"):
            for action in DONE:
                asked = {"aws:PrincipalArn": _arn(stacks, name)}
                assert allows(policy, action, "*", asked) is (name in admitted), (name, action)
        assert allows(policy, "s3:PutBucketPolicy", "*", {"aws:PrincipalArn": _arn(stacks, "Admin")})


def _more_rights(stacks: Stacks) -> None:
    for role, statement in statements(stacks):
        if role == family(stacks, "backend", "roll_keys") and "s3:PutObject" in as_list(statement["Action"]):
            statement["Action"] = [*as_list(statement["Action"]), "s3:DeleteObject"]


@promise(deleting=_more_rights, none=without("AWS::IAM::Policy"))
def test_the_roll_writes_reads_and_lists_exports_and_deletes_none(stacks: Stacks) -> None:
    said: dict[str, set[str]] = {}
    for role, statement in statements(stacks):
        for action in as_list(statement["Action"]):
            if action.startswith("s3:"):
                said.setdefault(role, set()).add(action)
                assert all("key-exports" in resource for resource in as_list(statement["Resource"]))
    wanted = {"s3:AbortMultipartUpload", "s3:GetObject", "s3:ListBucket", "s3:PutObject"}
    assert said == {family(stacks, "backend", "roll_keys"): wanted}


@promise(
    public=setting(BUCKET, "PublicAccessBlockConfiguration.BlockPublicPolicy", value=False),
    overwritten=setting(BUCKET, "VersioningConfiguration.Status", "Suspended"),
    keys_of_s3=setting(
        BUCKET,
        "BucketEncryption.ServerSideEncryptionConfiguration.0.ServerSideEncryptionByDefault",
        {"SSEAlgorithm": "AES256"},
    ),
    for_ever=without(BUCKET, "LifecycleConfiguration"),
    too_short=setting(BUCKET, "LifecycleConfiguration.Rules.0.ExpirationInDays", 30),
    by_lists=without(BUCKET, "OwnershipControls"),
)
def test_an_export_is_kept_encrypted_and_longer_than_an_epoch(stacks: Stacks) -> None:
    """An epoch lasts for 30 days at the most, so that the newest export is never older."""
    for stack, (_, bucket) in _buckets(stacks).items():
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
        assert bucket.get("OwnershipControls") == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
        (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert KEYS[stack] in reference(rule["ServerSideEncryptionByDefault"].get("KMSMasterKeyID", ""))
        rules = bucket.get("LifecycleConfiguration", {}).get("Rules", [])
        ends = [r for r in rules if "ExpirationInDays" in r]
        assert [(r["ExpirationInDays"], r["NoncurrentVersionExpiration"]["NoncurrentDays"]) for r in ends] == [(90, 7)]


def _deleted(stacks: Stacks) -> None:
    for _, resource in stacks.resources(BUCKET):
        resource["DeletionPolicy"] = "Delete"


@promise(
    goes=_deleted,
    of_any_account=setting(BUCKET, "BucketName", "sanctum-prod-key-exports-us-east-1"),
    of_any_region=setting(BUCKET, "BucketName", "sanctum-prod-key-exports-777788889999"),
)
def test_the_bucket_stays_where_the_environment_is_protected_and_has_a_name_of_its_own(stacks: Stacks) -> None:
    account, backup = stacks.settings.account, stacks.settings.backup
    regions = {"Data": account.region, "BackupCopy": backup.copy_region}
    for stack, (logical_id, bucket) in _buckets(stacks).items():
        assert bucket["BucketName"].endswith(f"-{account.id}-{regions[stack]}")
        kept = stacks[stack].resources()[logical_id].get("DeletionPolicy")
        assert kept == ("Retain" if stacks.settings.protected else "Delete")


@promise(
    not_copied=without(BUCKET, "ReplicationConfiguration"),
    paused=setting(BUCKET, "ReplicationConfiguration.Rules.0.Status", "Disabled"),
    elsewhere=setting(BUCKET, "ReplicationConfiguration.Rules.0.Destination.Bucket", "arn:aws:s3:::other"),
    not_what_is_encrypted=without(BUCKET, "ReplicationConfiguration.Rules.0.SourceSelectionCriteria"),
    another_key=setting(
        BUCKET,
        "ReplicationConfiguration.Rules.0.Destination.EncryptionConfiguration.ReplicaKmsKeyID",
        "arn:aws:kms:us-west-2:777788889999:alias/other",
    ),
    deletions=setting(BUCKET, "ReplicationConfiguration.Rules.0.DeleteMarkerReplication.Status", "Enabled"),
    no_alias=without("AWS::KMS::Alias"),
)
def test_exports_are_copied_to_where_backups_are_and_their_deletions_are_not(stacks: Stacks) -> None:
    buckets, region = _buckets(stacks), stacks.settings.backup.copy_region
    configured = buckets["Data"][1].get("ReplicationConfiguration")
    assert bool(configured) is bool(region)
    if not configured:
        return
    (rule,) = configured["Rules"]
    assert rule["Status"] == "Enabled"
    assert rule["Filter"] == {"Prefix": ""}
    assert rule["DeleteMarkerReplication"] == {"Status": "Disabled"}
    assert rule.get("SourceSelectionCriteria") == {"SseKmsEncryptedObjects": {"Status": "Enabled"}}
    destination = rule["Destination"]
    assert destination["Bucket"] == f"arn:aws:s3:::{buckets['BackupCopy'][1]['BucketName']}"
    aliases = {
        alias["AliasName"]
        for alias in stacks["BackupCopy"].properties("AWS::KMS::Alias")
        if "SecretsKey" in reference(alias["TargetKeyId"])
    }
    arn = destination["EncryptionConfiguration"]["ReplicaKmsKeyID"]
    assert arn.partition(":alias/")[0] == f"arn:aws:kms:{region}:{stacks.settings.account.id}"
    assert {f"alias/{arn.partition(':alias/')[2]}"} == aliases
    data = stacks["Data"].resources()
    assert data[reference(configured["Role"])]["Properties"]["RoleName"] == stacks.settings.resource_name("key_exports")
    waits = data[buckets["Data"][0]].get("DependsOn", [])
    assert any("KeyExportsReplicationDefaultPolicy" in logical_id for logical_id in as_list(waits))


def _what(stacks: Stacks) -> list[Json]:
    """The statements of the role that copies."""
    name = stacks.settings.resource_name("key_exports")
    roles = [k for k, r in stacks["Data"].resources(ROLE).items() if r["Properties"].get("RoleName") == name]
    assert bool(roles) is bool(stacks.settings.backup.copy_region)
    policies = [p for p in stacks["Data"].properties("AWS::IAM::Policy") if reference(p["Roles"][0]) in roles]
    return [s for policy in policies for s in policy["PolicyDocument"]["Statement"]]


def _any_bucket(stacks: Stacks) -> None:
    for statement in _what(stacks):
        if "s3:ReplicateObject" in as_list(statement["Action"]):
            statement["Resource"] = "arn:aws:s3:::*"


def _any_object_of_the_key(stacks: Stacks) -> None:
    for statement in _what(stacks):
        statement.get("Condition", {}).pop("StringLike", None)


def _reading(stacks: Stacks) -> None:
    for statement in _what(stacks):
        if "s3:GetObjectVersionForReplication" in as_list(statement["Action"]):
            statement["Action"] = [*statement["Action"], "s3:GetObject"]


@promise(
    any_bucket=_any_bucket,
    any_object_of_the_key=_any_object_of_the_key,
    reading=_reading,
    by_another=setting(ROLE, "AssumeRolePolicyDocument.Statement.0.Principal", {"Service": "ec2.amazonaws.com"}),
)
def test_the_role_that_copies_can_copy_from_one_bucket_to_one_and_do_nothing_else(stacks: Stacks) -> None:
    said = {action: s for s in _what(stacks) for action in as_list(s["Action"])}
    if not said:
        return
    here, there = (f"arn:aws:s3:::{_buckets(stacks)[stack][1]['BucketName']}" for stack in ("Data", "BackupCopy"))
    at = {action: s["Resource"] for action, s in said.items() if action.startswith("s3:")}
    assert at == {
        "s3:GetReplicationConfiguration": here,
        "s3:ListBucket": here,
        "s3:GetObjectVersionAcl": f"{here}/*",
        "s3:GetObjectVersionForReplication": f"{here}/*",
        "s3:GetObjectVersionTagging": f"{here}/*",
        "s3:ReplicateObject": f"{there}/*",
        "s3:ReplicateTags": f"{there}/*",
    }
    keys = {action: s.get("Condition", {}) for action, s in said.items() if action.startswith("kms:")}
    assert set(keys) == {"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"}
    for action, condition in keys.items():
        region, bucket = (
            (stacks.settings.account.region, here)
            if action == "kms:Decrypt"
            else (stacks.settings.backup.copy_region, there)
        )
        assert condition.get("StringLike") == {"kms:EncryptionContext:aws:s3:arn": f"{bucket}/*"}
        assert condition["StringEquals"] == {"kms:ViaService": f"s3.{region}.amazonaws.com"}
    (trust,) = [
        r["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]
        for r in stacks["Data"].properties(ROLE)
        if r.get("RoleName") == stacks.settings.resource_name("key_exports")
    ]
    assert trust == {"Service": "s3.amazonaws.com"}
