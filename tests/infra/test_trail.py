"""What is done in the account is written down, and nobody can stop that, or what depends on it, unseen."""

from fnmatch import fnmatchcase

from tests.infra.promise import Mutation, Stacks, promise, setting, without
from tests.infra.template import Json, as_list, reference

YEAR = 365


def trail_arn(stacks: Stacks) -> str:
    """The ARN of the environment's trail."""
    account, name = stacks.settings.account, stacks["Operations"].only("AWS::CloudTrail::Trail")["TrailName"]
    return f"arn:aws:cloudtrail:{account.region}:{account.id}:trail/{name}"


def bucket_of(stacks: Stacks) -> tuple[str, Json]:
    """Logical id and properties of the bucket that the trail writes to."""
    logical_id = reference(stacks["Operations"].only("AWS::CloudTrail::Trail")["S3BucketName"])
    bucket = stacks["Operations"].resources("AWS::S3::Bucket")[logical_id]
    assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == ("Retain", "Retain")
    return logical_id, bucket["Properties"]


def bucket_statements(stacks: Stacks) -> list[Json]:
    """What the policy of the trail's bucket says."""
    logical_id, _ = bucket_of(stacks)
    policies = stacks["Operations"].properties("AWS::S3::BucketPolicy")
    (policy,) = (p for p in policies if reference(p["Bucket"]) == logical_id)
    return policy["PolicyDocument"]["Statement"]


def key_of(stacks: Stacks) -> Json:
    """The key that the trail's files are encrypted with."""
    key = stacks["Operations"].only("AWS::CloudTrail::Trail").get("KMSKeyId")
    assert key
    resource = stacks["Operations"].resources("AWS::KMS::Key")[reference(key)]
    assert (resource["DeletionPolicy"], resource["Properties"]["EnableKeyRotation"]) == ("Retain", True)
    return resource["Properties"]


def _policy(resource_type: str, purpose: str, change: str) -> Mutation:
    """In every policy of ``resource_type``, take ``change`` (``Condition``) from the statements for CloudTrail."""

    def mutate(stacks: Stacks) -> None:
        changed = 0
        for p in stacks["Operations"].properties(resource_type):
            for statement in p[purpose]["Statement"]:
                if statement["Principal"] == {"Service": "cloudtrail.amazonaws.com"}:
                    changed += statement.pop(change, None) is not None
        assert changed

    return mutate


def _at_once(stacks: Stacks) -> None:
    """Let the trail be made before anything else is."""
    for _, trail in stacks.resources("AWS::CloudTrail::Trail"):
        del trail["DependsOn"]


@promise(
    gone=without("AWS::CloudTrail::Trail"),
    off=setting("AWS::CloudTrail::Trail", "IsLogging", value=False),
    one_region=setting("AWS::CloudTrail::Trail", "IsMultiRegionTrail", value=False),
    not_global=setting("AWS::CloudTrail::Trail", "IncludeGlobalServiceEvents", value=False),
    no_management=setting("AWS::CloudTrail::Trail", "EventSelectors.0.IncludeManagementEvents", value=False),
    writes_alone=setting("AWS::CloudTrail::Trail", "EventSelectors.0.ReadWriteType", "WriteOnly"),
    no_keys=setting("AWS::CloudTrail::Trail", "EventSelectors.0.ExcludeManagementEventSources", ["kms.amazonaws.com"]),
)
def test_every_call_in_the_account_is_written_down_and_so_is_each_use_of_a_key(stacks: Stacks) -> None:
    if not stacks.settings.account.trail:
        return
    trail = stacks["Operations"].only("AWS::CloudTrail::Trail")
    assert [trail[key] for key in ("IsLogging", "IsMultiRegionTrail", "IncludeGlobalServiceEvents")] == [True] * 3
    management = [s for s in trail["EventSelectors"] if s["IncludeManagementEvents"]]
    assert [(s["ReadWriteType"], s.get("ExcludeManagementEventSources", [])) for s in management] == [("All", [])]


@promise(
    unsigned=setting("AWS::CloudTrail::Trail", "EnableLogFileValidation", value=False),
    unlocked=without("AWS::S3::Bucket", "ObjectLockConfiguration"),
    briefly_locked=setting("AWS::S3::Bucket", "ObjectLockConfiguration.Rule.DefaultRetention.Days", 30),
    briefly_kept=setting("AWS::S3::Bucket", "LifecycleConfiguration.Rules.0.ExpirationInDays", 90),
    unversioned=without("AWS::S3::Bucket", "VersioningConfiguration"),
)
def test_the_trail_is_kept_for_a_year_in_which_nobody_can_change_or_delete_it_unnoticed(stacks: Stacks) -> None:
    if not stacks.settings.account.trail:
        return
    assert stacks["Operations"].only("AWS::CloudTrail::Trail")["EnableLogFileValidation"] is True
    _, bucket = bucket_of(stacks)
    retention = bucket.get("ObjectLockConfiguration", {}).get("Rule", {}).get("DefaultRetention", {})
    assert (bucket.get("ObjectLockEnabled"), retention.get("Days", 0) >= YEAR) == (True, True)
    assert bucket.get("VersioningConfiguration") == {"Status": "Enabled"}
    kept = [
        rule["ExpirationInDays"] for rule in bucket["LifecycleConfiguration"]["Rules"] if "ExpirationInDays" in rule
    ]
    assert kept
    assert min(kept) >= retention["Days"]


@promise(
    public=setting("AWS::S3::Bucket", "PublicAccessBlockConfiguration.BlockPublicPolicy", value=False),
    own_key=setting(
        "AWS::S3::Bucket",
        "BucketEncryption.ServerSideEncryptionConfiguration.0.ServerSideEncryptionByDefault",
        {"SSEAlgorithm": "AES256"},
    ),
    trail_without_key=without("AWS::CloudTrail::Trail", "KMSKeyId"),
    plain_transport=without("AWS::S3::BucketPolicy", "PolicyDocument.Statement.0.Condition"),
    old_transport=without("AWS::S3::BucketPolicy", "PolicyDocument.Statement.1.Condition"),
    owners=without("AWS::S3::Bucket", "OwnershipControls"),
    reader=setting("AWS::S3::BucketPolicy", "PolicyDocument.Statement.3.Principal", {"AWS": "*"}),
)
def test_nobody_reads_the_trail_by_its_buckets_policy_and_its_files_are_encrypted_with_a_key_of_our_own(
    stacks: Stacks,
) -> None:
    if not stacks.settings.account.trail:
        return
    _, bucket = bucket_of(stacks)
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket.get("OwnershipControls") == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    key = stacks["Operations"].only("AWS::CloudTrail::Trail").get("KMSKeyId")
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    statements = bucket_statements(stacks)
    refused = [s.get("Condition") for s in statements if s["Effect"] == "Deny" and s["Action"] == "s3:*"]
    assert {"Bool": {"aws:SecureTransport": "false"}} in refused
    assert {"NumericLessThan": {"s3:TlsVersion": 1.2}} in refused
    allowed = [s for s in statements if s["Effect"] == "Allow"]
    assert [s["Principal"] for s in allowed] == [{"Service": "cloudtrail.amazonaws.com"}] * 2
    assert {action for s in allowed for action in as_list(s["Action"])} == {"s3:GetBucketAcl", "s3:PutObject"}


@promise(
    any_trail_writes=_policy("AWS::S3::BucketPolicy", "PolicyDocument", "Condition"),
    any_trail_encrypts=_policy("AWS::KMS::Key", "KeyPolicy", "Condition"),
    may_not_encrypt=_policy("AWS::KMS::Key", "KeyPolicy", "Action"),
    other_name=setting("AWS::CloudTrail::Trail", "TrailName", "another"),
    elsewhere=setting("AWS::CloudTrail::Trail", "S3KeyPrefix", "elsewhere"),
    before_policy=_at_once,
)
def test_cloudtrail_can_deliver_because_bucket_and_key_admit_this_trail_and_no_other(stacks: Stacks) -> None:
    if not stacks.settings.account.trail:
        return
    arn, account = trail_arn(stacks), stacks.settings.account.id
    used = [s for s in key_of(stacks)["KeyPolicy"]["Statement"] if s["Principal"].get("Service")]
    assert {s.get("Action") for s in used} == {"kms:GenerateDataKey*", "kms:DescribeKey"}
    written = [s for s in bucket_statements(stacks) if s["Effect"] == "Allow"]
    assert len(written) == len(used)
    for statement in (*used, *written):
        assert statement.get("Condition", {}).get("StringEquals", {}).get("aws:SourceArn") == arn
    (encrypt,) = (s for s in used if s["Action"] == "kms:GenerateDataKey*")
    (context,) = encrypt["Condition"]["StringLike"].values()
    assert fnmatchcase(arn, context)
    assert "S3KeyPrefix" not in stacks["Operations"].only("AWS::CloudTrail::Trail")
    (put,) = (s for s in written if s["Action"] == "s3:PutObject")
    assert put["Resource"]["Fn::Join"][1][1] == f"/AWSLogs/{account}/*"
    (trail,) = stacks["Operations"].resources("AWS::CloudTrail::Trail").values()
    assert set(trail.get("DependsOn", [])) & stacks["Operations"].resources("AWS::S3::BucketPolicy").keys()


@promise(
    unseen=setting("AWS::CloudTrail::Trail", "EventSelectors", [{"IncludeManagementEvents": True}]),
    other_bucket=setting("AWS::CloudTrail::Trail", "EventSelectors.1.DataResources.0.Values", ["arn:aws:s3:::other/"]),
    writes=setting("AWS::CloudTrail::Trail", "EventSelectors.1.ReadWriteType", "All"),
)
def test_who_reads_the_trail_is_in_the_trail_and_its_own_deliveries_are_not(stacks: Stacks) -> None:
    if not stacks.settings.account.trail:
        return
    logical_id, _ = bucket_of(stacks)
    _, *data = stacks["Operations"].only("AWS::CloudTrail::Trail")["EventSelectors"]
    assert [(s["ReadWriteType"], s["IncludeManagementEvents"]) for s in data] == [("ReadOnly", False), ("All", False)]
    (read,) = data[0]["DataResources"]
    assert read["Type"] == "AWS::S3::Object"
    assert read["Values"] == [{"Fn::Join": ["", [{"Fn::GetAtt": [logical_id, "Arn"]}, "/"]]}]


@promise(
    unseen=setting("AWS::CloudTrail::Trail", "EventSelectors", [{"IncludeManagementEvents": True}]),
    reading_alone=setting("AWS::CloudTrail::Trail", "EventSelectors.2.ReadWriteType", "ReadOnly"),
    at_home_alone=setting(
        "AWS::CloudTrail::Trail",
        "EventSelectors.2.DataResources.0.Values",
        ["arn:aws:s3:::sanctum-prod-key-exports-777788889999-us-east-1/"],
    ),
)
def test_who_reads_or_writes_exports_of_keys_is_in_the_trail(stacks: Stacks) -> None:
    if not stacks.settings.account.trail:
        return
    named = {b["BucketName"] for b in stacks.properties("AWS::S3::Bucket") if "key-exports" in b.get("BucketName", "")}
    assert named
    _, *data = stacks["Operations"].only("AWS::CloudTrail::Trail")["EventSelectors"]
    everything = [s["DataResources"][0] for s in data if s["ReadWriteType"] == "All"]
    seen = {value for resource in everything if resource["Type"] == "AWS::S3::Object" for value in resource["Values"]}
    assert seen == {f"arn:aws:s3:::{name}/" for name in named}


@promise(
    left_out=setting("AWS::CloudTrail::Trail", "EventSelectors.0.ExcludeManagementEventSources", ["kms.amazonaws.com"]),
    writing_alone=setting("AWS::CloudTrail::Trail", "EventSelectors.0.ReadWriteType", "WriteOnly"),
    none=setting("AWS::CloudTrail::Trail", "EventSelectors.0.IncludeManagementEvents", value=False),
)
def test_each_unwrapping_of_a_data_key_is_in_the_trail(stacks: Stacks) -> None:
    """KMS's own calls are management events, Decrypt a reading one, unless they are left out as too many."""
    if not stacks.settings.account.trail:
        return
    management, *_ = stacks["Operations"].only("AWS::CloudTrail::Trail")["EventSelectors"]
    assert (management["IncludeManagementEvents"], management["ReadWriteType"]) == (True, "All")
    assert not management.get("ExcludeManagementEventSources")


def told_of(stacks: Stacks, event: Json) -> bool:
    """Whether an EventBridge rule sends ``event`` to the alarms."""
    (topic,) = stacks["Operations"].resources("AWS::SNS::Topic")
    return any(
        rule["State"] == "ENABLED"
        and {"Ref": topic} in [target["Arn"] for target in rule["Targets"]]
        and _matches(rule["EventPattern"], event)
        for rule in stacks["Operations"].properties("AWS::Events::Rule")
    )


def _matches(pattern: Json, event: Json) -> bool:
    """As EventBridge does with plain values: every key of the pattern is in the event, with one of its values."""
    for key, wanted in pattern.items():
        value = event.get(key)
        if isinstance(wanted, dict):
            if not isinstance(value, dict) or not _matches(wanted, value):  # pyright: ignore[reportUnknownArgumentType]  # JSON
                return False
        elif value not in wanted:
            return False
    return True


def _call(service: str, name: str, **detail: object) -> Json:
    detail = {"eventSource": f"{service}.amazonaws.com", "eventName": name, "readOnly": False, **detail}
    return {"source": f"aws.{service}", "detail-type": "AWS API Call via CloudTrail", "detail": detail}


def _untold(*services: str) -> Mutation:
    """Disable the rules for events of ``services``."""

    def mutate(stacks: Stacks) -> None:
        for rule in stacks["Operations"].properties("AWS::Events::Rule"):
            if set(rule["EventPattern"]["source"]) & {f"aws.{service}" for service in services}:
                rule["State"] = "DISABLED"

    return mutate


@promise(
    no_rules=without("AWS::Events::Rule"),
    elsewhere=setting("AWS::Events::Rule", "Targets.0.Arn", {"Ref": "Other"}),
    trail_untold=_untold("cloudtrail"),
    keys_untold=_untold("kms"),
    bucket_untold=_untold("s3"),
)
def test_people_are_told_when_somebody_stops_the_trail_or_takes_a_key_away(stacks: Stacks) -> None:
    for name in ("StopLogging", "DeleteTrail", "UpdateTrail", "PutEventSelectors"):
        assert told_of(stacks, _call("cloudtrail", name))
    for name in ("ScheduleKeyDeletion", "DisableKey"):
        assert told_of(stacks, _call("kms", name))
    if stacks.settings.account.trail:
        bucket = {"bucketName": {"Ref": bucket_of(stacks)[0]}}
        for name in ("DeleteBucketPolicy", "PutBucketLifecycle", "DeleteBucket"):
            assert told_of(stacks, _call("s3", name, requestParameters=bucket))
            assert not told_of(stacks, _call("s3", name, requestParameters={"bucketName": "another"}))
    assert not told_of(stacks, _call("cloudtrail", "StartLogging"))
    assert not told_of(stacks, _call("kms", "Decrypt", readOnly=True))


@promise(keys_untold=_untold("kms"), buckets_untold=_untold("s3"), no_rules=without("AWS::Events::Rule"))
def test_people_are_told_when_somebody_lets_themselves_in_to_keys_or_to_exports_of_keys(stacks: Stacks) -> None:
    assert told_of(stacks, _call("kms", "PutKeyPolicy"))
    (bucket,) = [
        b["BucketName"] for b in stacks["Data"].properties("AWS::S3::Bucket") if "key-exports" in b["BucketName"]
    ]
    for name in ("PutBucketPolicy", "DeleteBucketPolicy", "DeleteBucketReplication", "PutBucketLifecycle"):
        assert told_of(stacks, _call("s3", name, requestParameters={"bucketName": bucket}))
        assert not told_of(stacks, _call("s3", name, requestParameters={"bucketName": "another"}))
    assert not told_of(stacks, _call("s3", "PutObject", requestParameters={"bucketName": bucket}))


@promise(untold=_untold("route53resolver"), no_rules=without("AWS::Events::Rule"))
def test_people_are_told_when_dns_firewall_refuses_a_name_or_is_opened(stacks: Stacks) -> None:
    for name in ("UpdateFirewallConfig", "DisassociateFirewallRuleGroup", "UpdateFirewallDomains"):
        assert told_of(stacks, _call("route53resolver", name))
    assert told_of(stacks, {"source": "aws.route53resolver", "detail-type": "DNS Firewall Block", "detail": {}})
