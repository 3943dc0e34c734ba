"""Accounts that were granted what somebody else has to grant (a model, a certificate, a name, a source), and others."""

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


def _connection(status: str) -> Json:
    answer = {"ConnectionName": "github", "ConnectionStatus": status}
    return {"codeconnections.GetConnection": {"Connection": answer}}


CASES = [
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

ASKED: dict[str, Mapping[str, object]] = {
    "Certificate": OWN_CERTIFICATE,
    "Key of the model": OUTSIDE,
    "Connection to GitHub": TOOLING,
}
"""Settings with which a check asks the account, where the environment's own make it ask nothing."""
