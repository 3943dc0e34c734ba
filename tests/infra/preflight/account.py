"""Accounts in which is what somebody has to make or to allow, and others."""

import datetime as dt
from collections.abc import Mapping

from tests.infra.preflight.case import BAD, GOOD, UNKNOWN, Case
from tests.infra.preflight.conftest import ENVIRONMENTS, PIPELINE
from tests.infra.preflight.recorded import Json, Refused

ACCOUNT = ENVIRONMENTS["prod"].account.id
CERTIFICATE = f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/12345678-1234-1234-1234-123456789012"
SECRET = f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:model-key-AbCdEf"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/0a1b2c3d-0000-4000-8000-000000000000"
OUTSIDE = {
    "model.provider": "openai",
    "model.url": "https://models.example.com/v1",
    "model.api_key_secret": SECRET,
    "model.api_key_kms_key": KEY,
}
OWN_CERTIFICATE = {"web.hosted_zone_id": None, "web.certificate_arn": CERTIFICATE}
TOOLING = {"account.id": PIPELINE.account.id}
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


def _profile(*regions: str) -> Json:
    arn = "arn:aws:bedrock:{}::foundation-model/amazon.nova-lite-v1:0"
    profile = {
        "inferenceProfileName": "US Nova Lite",
        "inferenceProfileArn": f"arn:aws:bedrock:us-east-1:{ACCOUNT}:inference-profile/us.amazon.nova-lite-v1:0",
        "inferenceProfileId": "us.amazon.nova-lite-v1:0",
        "models": [{"modelArn": arn.format(region)} for region in regions],
        "status": "ACTIVE",
        "type": "SYSTEM_DEFINED",
    }
    return {"bedrock.GetInferenceProfile": profile}


US = ("us-east-1", "us-east-2", "us-west-2")


def _access(agreement: str = "AVAILABLE", authorization: str = "AUTHORIZED") -> Json:
    answer = {
        "modelId": "amazon.nova-lite-v1:0",
        "agreementAvailability": {"status": agreement},
        "authorizationStatus": authorization,
        "entitlementAvailability": "AVAILABLE",
        "regionAvailability": "AVAILABLE",
    }
    return {"bedrock.GetFoundationModelAvailability": answer}


def _secret(key: str = KEY, state: str = "Enabled", **more: object) -> Json:
    return {
        "secretsmanager.DescribeSecret": {"ARN": SECRET, "KmsKeyId": key} | more,
        "kms.DescribeKey": {"KeyMetadata": {"KeyId": key, "Arn": key, "KeyState": state}},
    }


def _certificate(domain: str = "*.sanctum.example", status: str = "ISSUED", days: int = 200) -> Json:
    end = dt.datetime.now(dt.UTC) + dt.timedelta(days=days)
    return {"acm.DescribeCertificate": {"Certificate": {"DomainName": domain, "Status": status, "NotAfter": end}}}


def _zone(name: str = "sanctum.example.", *, private: bool = False) -> Json:
    zone = {"Id": "/hostedzone/Z0", "Name": name, "CallerReference": "x", "Config": {"PrivateZone": private}}
    return {"route53.GetHostedZone": {"HostedZone": zone, "DelegationSet": {"NameServers": ["ns-1.example.org"]}}}


def _trails(*names: str) -> Json:
    return {"cloudtrail.DescribeTrails": {"trailList": [{"Name": n, "IsMultiRegionTrail": True} for n in names]}}


def _connection(status: str) -> Json:
    answer = {"ConnectionName": "github", "ConnectionStatus": status}
    return {"codeconnections.GetConnection": {"Connection": answer}}


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
    Case("Model", "ready", _profile(*US) | _access(), GOOD, "amazon.nova-lite-v1:0 may be used"),
    Case(
        "Model", "further", _profile(*US, "us-west-1") | _access(), BAD, 'destination_regions = ["us-east-1", "us-east'
    ),
    Case("Model", "terms", _profile(*US) | _access("NOT_AVAILABLE"), BAD, "agreement NOT_AVAILABLE"),
    Case("Model", "not told", _profile(*US) | _access("ERROR"), UNKNOWN, "agreement ERROR"),
    Case(
        "Model", "policy", _profile(*US) | _access(authorization="NOT_AUTHORIZED"), BAD, "authorization NOT_AUTHORIZED"
    ),
    Case(
        "Model", "no profile", {"bedrock.GetInferenceProfile": Refused("ResourceNotFoundException: x")}, BAD, "no inf"
    ),
    Case("Model", "outside", {}, GOOD, "outside AWS, at models.example.com", settings=OUTSIDE),
    Case("Key of the model", "inside", {}, GOOD, "inside AWS"),
    Case("Key of the model", "ready", _secret(), GOOD, "model-key is there", settings=OUTSIDE),
    Case(
        "Key of the model",
        "another key",
        _secret(KEY + "1"),
        BAD,
        "update-secret --secret-id model-key",
        settings=OUTSIDE,
    ),
    Case("Key of the model", "disabled", _secret(state="Disabled"), BAD, "kms enable-key", settings=OUTSIDE),
    Case(
        "Key of the model",
        "deleted",
        _secret(DeletedDate=dt.datetime(2026, 1, 1, tzinfo=dt.UTC)),
        BAD,
        "restore-secret",
        settings=OUTSIDE,
    ),
    Case(
        "Key of the model",
        "none",
        {"secretsmanager.DescribeSecret": Refused("ResourceNotFoundException: x")},
        BAD,
        f"create-secret --name model-key --kms-key-id {KEY}",
        settings=OUTSIDE,
    ),
    Case("Certificate", "made", {}, GOOD, "made by the deployment"),
    Case("Certificate", "ready", _certificate(), GOOD, "issued for *.sanctum.example", settings=OWN_CERTIFICATE),
    Case(
        "Certificate", "name", _certificate("x.example"), BAD, "not for api.sanctum.example", settings=OWN_CERTIFICATE
    ),
    Case(
        "Certificate", "wait", _certificate(status="PENDING_VALIDATION"), BAD, "DNS records", settings=OWN_CERTIFICATE
    ),
    Case("Certificate", "ends", _certificate(days=9), BAD, "it ends on", settings=OWN_CERTIFICATE),
    Case(
        "Certificate",
        "none",
        {"acm.DescribeCertificate": Refused("ResourceNotFoundException: x")},
        BAD,
        "request-certificate",
        settings=OWN_CERTIFICATE,
    ),
    Case("Hosted zone", "ready", _zone(), GOOD, "is delegated to", servers={"ns-1.example.org"}),
    Case("Hosted zone", "elsewhere", _zone(), BAD, "names ns.example.net", servers={"ns.example.net"}),
    Case("Hosted zone", "nowhere", _zone(), BAD, "names no servers", servers=set()),
    Case("Hosted zone", "no dig", _zone(), UNKNOWN, "`dig +short NS sanctum.example` must name ns-1.example.org"),
    Case("Hosted zone", "private", _zone(private=True), BAD, "is private"),
    Case("Hosted zone", "another", _zone("anctum.example."), BAD, "which api.sanctum.example is not in"),
    Case("Hosted zone", "none", {"route53.GetHostedZone": Refused("NoSuchHostedZone: x")}, BAD, "list-hosted-zones"),
    Case("Hosted zone", "certificate", {}, GOOD, "yours to make", settings=OWN_CERTIFICATE),
    Case("Trail", "will be made", _trails(), GOOD, "one will be made"),
    Case("Trail", "second", _trails("organisation"), GOOD, "organisation costs nothing"),
    Case("Trail", "full", _trails(*"abcde"), BAD, "write account.trail = false"),
    Case("Trail", "none", _trails(), BAD, "write account.trail = true", settings={"account.trail": False}),
    Case("Trail", "theirs", _trails("organisation"), GOOD, "has organisation", settings={"account.trail": False}),
    Case("Connection to GitHub", "ready", _connection("AVAILABLE"), GOOD, "github is available", settings=TOOLING),
    Case("Connection to GitHub", "pending", _connection("PENDING"), BAD, "finish the handshake", settings=TOOLING),
    Case("Connection to GitHub", "elsewhere", {}, UNKNOWN, "get-connection --connection-arn"),
    Case(
        "Connection to GitHub",
        "none",
        {"codeconnections.GetConnection": Refused("ResourceNotFoundException: x")},
        BAD,
        "make one in the console",
        settings=TOOLING,
    ),
]
