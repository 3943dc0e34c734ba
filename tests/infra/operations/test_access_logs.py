"""The load balancer's logs: they arrive, and nobody else reads or changes them."""

from tests.infra.promise import Stacks, promise, setting, without
from tests.infra.template import Json, as_list

BUCKET, POLICY = "AWS::S3::Bucket", "AWS::S3::BucketPolicy"
STATEMENTS = "PolicyDocument.Statement"


def _bucket(stacks: Stacks) -> tuple[str, Json]:
    (found,) = ((k, r) for k, r in stacks["Operations"].resources(BUCKET).items() if k.startswith("AccessLogs"))
    return found


def _statements(stacks: Stacks) -> list[Json]:
    name, _ = _bucket(stacks)
    policies = [p for p in stacks["Operations"].properties(POLICY) if p["Bucket"] == {"Ref": name}]
    return [statement for p in policies for statement in p["PolicyDocument"]["Statement"]]


@promise(
    other_key=setting(
        BUCKET,
        "BucketEncryption.ServerSideEncryptionConfiguration.0.ServerSideEncryptionByDefault.SSEAlgorithm",
        "aws:kms",
    ),
    unset=without(BUCKET, "BucketEncryption"),
)
def test_the_load_balancer_can_write_because_the_bucket_is_encrypted_with_the_keys_of_s3(stacks: Stacks) -> None:
    _, bucket = _bucket(stacks)
    rules = bucket["Properties"].get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration")
    assert rules == [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]


@promise(
    legacy_account=setting(POLICY, f"{STATEMENTS}.2.Principal", {"AWS": "arn:aws:iam::127311923021:root"}),
    of_any_account=without(POLICY, f"{STATEMENTS}.2.Condition"),
    anywhere=setting(POLICY, f"{STATEMENTS}.2.Resource", "*"),
    anything=setting(POLICY, f"{STATEMENTS}.2.Action", "s3:*"),
    no_policy=without(POLICY),
)
def test_load_balancers_of_this_account_may_write_logs_and_nobody_may_do_anything_else(stacks: Stacks) -> None:
    name, _ = _bucket(stacks)
    account, region = stacks.settings.account.id, stacks.settings.account.region
    assert [s for s in _statements(stacks) if s["Effect"] == "Allow"] == [
        {
            "Effect": "Allow",
            "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": {"Fn::Join": ["", [{"Fn::GetAtt": [name, "Arn"]}, f"/AWSLogs/{account}/*"]]},
            "Condition": {
                "ArnLike": {"aws:SourceArn": f"arn:aws:elasticloadbalancing:{region}:{account}:loadbalancer/*"}
            },
        }
    ]


@promise(
    plain=setting(POLICY, f"{STATEMENTS}.0.Effect", "Allow"),
    some_actions=setting(POLICY, f"{STATEMENTS}.0.Action", "s3:GetObject"),
    some_people=setting(POLICY, f"{STATEMENTS}.0.Principal", {"AWS": "111122223333"}),
    objects_alone=setting(POLICY, f"{STATEMENTS}.0.Resource", ["*/*"]),
    old_tls=setting(POLICY, f"{STATEMENTS}.1.Condition.NumericLessThan", {"s3:TlsVersion": 1.1}),
    no_policy=without(POLICY),
)
def test_logs_are_written_and_read_over_tls_1_2_or_newer_alone(stacks: Stacks) -> None:
    name, _ = _bucket(stacks)
    arn = {"Fn::GetAtt": [name, "Arn"]}
    denied = [s for s in _statements(stacks) if s["Effect"] == "Deny"]
    for statement in denied:
        assert (statement["Principal"], as_list(statement["Action"])) == ({"AWS": "*"}, ["s3:*"])
        assert statement["Resource"] == [arn, {"Fn::Join": ["", [arn, "/*"]]}]
    assert [s["Condition"] for s in denied] == [
        {"Bool": {"aws:SecureTransport": "false"}},
        {"NumericLessThan": {"s3:TlsVersion": 1.2}},
    ]


@promise(
    public=setting(BUCKET, "PublicAccessBlockConfiguration.BlockPublicPolicy", value=False),
    unset=without(BUCKET, "PublicAccessBlockConfiguration"),
    lists_of_access=without(BUCKET, "OwnershipControls"),
)
def test_logs_cannot_be_made_public(stacks: Stacks) -> None:
    properties = _bucket(stacks)[1]["Properties"]
    block = properties.get("PublicAccessBlockConfiguration", {})
    assert len(block) == 4
    assert all(block.values())
    assert properties.get("OwnershipControls") == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}


@promise(
    for_ever=without(BUCKET, "LifecycleConfiguration"),
    longer=setting(BUCKET, "LifecycleConfiguration.Rules.0.ExpirationInDays", 3650),
    undone_for_ever=without(BUCKET, "LifecycleConfiguration.Rules.0.NoncurrentVersionExpiration"),
    disabled=setting(BUCKET, "LifecycleConfiguration.Rules.0.Status", "Disabled"),
)
def test_logs_are_kept_as_long_as_the_settings_say(stacks: Stacks) -> None:
    rules = _bucket(stacks)[1]["Properties"].get("LifecycleConfiguration", {}).get("Rules", [])
    kept = [r for r in rules if r.get("ExpirationInDays") == stacks.settings.logs.retention_days]
    assert [r["Status"] for r in kept] == ["Enabled"]
    assert 0 < kept[0].get("NoncurrentVersionExpiration", {}).get("NoncurrentDays", 0) <= 7


def _deletable(stacks: Stacks) -> None:
    _bucket(stacks)[1]["DeletionPolicy"] = "Delete"


@promise(deletable=_deletable, written_over=without(BUCKET, "VersioningConfiguration"))
def test_logs_outlive_their_stack_and_whoever_writes_over_them(stacks: Stacks) -> None:
    _, bucket = _bucket(stacks)
    assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert bucket["Properties"].get("VersioningConfiguration") == {"Status": "Enabled"}
