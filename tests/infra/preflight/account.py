"""Accounts in which is what somebody has to make, and others."""

import datetime as dt
from collections.abc import Mapping

from tests.infra.preflight.case import BAD, GOOD, UNKNOWN, Case
from tests.infra.preflight.conftest import ENVIRONMENTS, PIPELINE
from tests.infra.preflight.recorded import Json, Refused

ACCOUNT = ENVIRONMENTS["prod"].account.id
WORDS_KEY = ENVIRONMENTS["prod"].backup.words_key or ""
NO_KEY: Mapping[str, Json | Refused] = {"kms.DescribeKey": Refused("NotFoundException: Alias is not found")}
NO_ROLE = Refused("NoSuchEntity: x")
READER_ROLE = {
    "Role": {
        "Path": "/",
        "RoleName": "sanctum-guard-reader",
        "RoleId": "A" * 16,
        "Arn": "arn:aws:iam::777788889999:role/sanctum-guard-reader",
        "CreateDate": "2026-01-01T00:00:00Z",
    }
}


def _words_key(key: str = WORDS_KEY, state: str = "Enabled") -> Json:
    return {"kms.DescribeKey": {"KeyMetadata": {"KeyId": key, "KeyState": state}}}


def _stack(trusted: str) -> Json:
    stack = {"StackName": "CDKToolkit", "CreationTime": dt.datetime(2026, 1, 1, tzinfo=dt.UTC), "StackStatus": "X"}
    parameters = [{"ParameterKey": "TrustedAccounts", "ParameterValue": trusted}]
    return {"cloudformation.DescribeStacks": {"Stacks": [stack | {"Parameters": parameters}]}}


def _trails(*names: str) -> Json:
    return {"cloudtrail.DescribeTrails": {"trailList": [{"Name": n, "IsMultiRegionTrail": True} for n in names]}}


def _signing(*repositories: str) -> Json:
    filters = [{"filter": repository, "filterType": "WILDCARD_MATCH"} for repository in repositories]
    rule = {
        "signingProfileArn": f"arn:aws:signer:us-east-1:{ACCOUNT}:/signing-profiles/p",
        "repositoryFilters": filters,
    }
    return {"ecr.GetSigningConfiguration": {"signingConfiguration": {"rules": [rule]}}}


IMAGES = f"cdk-hnb659fds-container-assets-{ACCOUNT}-us-east-1"
SIGNED = {"images.signed": True}


def _opted(**types: bool) -> Json:
    return {"backup.DescribeRegionSettings": {"ResourceTypeOptInPreference": types}}


CASES = [
    Case("Signatures", "none wanted", {}, GOOD, "images.signed is false"),
    Case("Signatures", "ready", _signing("other", IMAGES), GOOD, f"{IMAGES} is signed", settings=SIGNED),
    Case("Signatures", "of others", _signing("other"), BAD, "make bootstrap ENV=prod", settings=SIGNED),
    Case(
        "Signatures",
        "none",
        {"ecr.GetSigningConfiguration": Refused("SigningConfigurationNotFoundException: x")},
        BAD,
        f"{IMAGES} is not signed",
        settings=SIGNED,
    ),
    Case("Bootstrap", "old", {"ssm.GetParameter": {"Parameter": {"Value": "5"}}} | _stack(""), BAD, "make bootstrap"),
    Case("Bootstrap", "none", {"ssm.GetParameter": Refused("ParameterNotFound: x")}, BAD, "us-west-2 is not boot"),
    Case(
        "Bootstrap",
        "no trust",
        {"ssm.GetParameter": {"Parameter": {"Value": "30"}}} | _stack("000011112222"),
        BAD,
        "does not trust the pipeline's account",
    ),
    Case(
        "Bootstrap",
        "ready",
        {"ssm.GetParameter": {"Parameter": {"Value": "30"}}} | _stack(f"000011112222,{PIPELINE.account.id}"),
        GOOD,
        "us-west-2 trusts",
    ),
    Case("Guards", "ready", {"iam.GetPolicy": {"Policy": {}}, "iam.GetRole": READER_ROLE}, GOOD, "-boundary is there"),
    Case("Guards", "not read", {"iam.GetPolicy": {"Policy": {}}, "iam.GetRole": NO_ROLE}, BAD, "no role sanctum-guard"),
    Case("Guards", "nobody reads dev", {"iam.GetPolicy": {"Policy": {}}}, GOOD, "-boundary is there", of="dev"),
    Case("Guards", "none", {"iam.GetPolicy": NO_ROLE, "iam.GetRole": READER_ROLE}, BAD, "make bootstrap ENV=prod"),
    Case("Backup", "ready", _opted(Aurora=True), GOOD, "has opted in"),
    Case("Backup", "out", _opted(Aurora=False), BAD, "--resource-type-opt-in-preference Aurora=true"),
    Case("Backup", "new account", _opted(), UNKNOWN, "AWS does not say"),
    Case("Backup", "none", {}, GOOD, "backup.enabled is false", of="dev"),
    Case("Words key", "ready", _words_key(), GOOD, "with its replica in us-west-2"),
    Case("Words key", "here alone", _words_key(), GOOD, "alias/sanctum-dev-words is in use", of="dev"),
    Case("Words key", "first deployment", NO_KEY, GOOD, "made by the first", settings={"backup.words_key": None}),
    Case("Words key", "written too soon", NO_KEY, BAD, "leave backup.words_key out"),
    Case(
        "Words key",
        "no replica",
        _words_key(),
        BAD,
        f'write backup.words_key = "{WORDS_KEY}" and deploy again',
        settings={"backup.words_key": None},
    ),
    Case("Words key", "another", _words_key("mrk-1" + WORDS_KEY[5:]), BAD, 'write backup.words_key = "mrk-1000'),
    Case("Words key", "going", _words_key(state="PendingDeletion"), BAD, "cancel-key-deletion"),
    Case("Trail", "will be made", _trails(), GOOD, "one will be made"),
    Case("Trail", "second", _trails("organisation"), GOOD, "organisation costs nothing"),
    Case("Trail", "full", _trails(*"abcde"), BAD, "write account.trail = false"),
    Case("Trail", "none", _trails(), BAD, "write account.trail = true", settings={"account.trail": False}),
    Case("Trail", "theirs", _trails("organisation"), GOOD, "has organisation", settings={"account.trail": False}),
]

ASKED: dict[str, Mapping[str, object]] = {"Signatures": SIGNED}
"""Settings with which a check asks the account, where the environment's own make it ask nothing."""
