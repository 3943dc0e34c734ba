"""Each check with answers of an account that is ready, and of one that is not: what is bad has a remedy."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from infra.preflight.answers import State
from infra.preflight.check import Check, Inquiry
from infra.preflight.checks import CHECKS, CREDENTIALS
from infra.preflight.run import answers_of
from tests.infra.preflight.conftest import ENVIRONMENTS, PIPELINE, Ask, changed, inquiry
from tests.infra.preflight.recorded import REFUSED, Json, RecordedSession, Refused

GOOD, BAD, UNKNOWN = State.GOOD, State.BAD, State.UNKNOWN
ACCOUNT = ENVIRONMENTS["prod"].account.id
ZONES = ENVIRONMENTS["prod"].network.zones
LATTICE, S3 = ENVIRONMENTS["prod"].network.lattice_prefix_list, ENVIRONMENTS["prod"].network.s3_prefix_list
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


def _zones(*, ids: tuple[str, ...] = ("use1-az1", "use1-az2", "use1-az4"), names: tuple[str, ...] = ZONES) -> Json:
    zones = [{"ZoneName": n, "ZoneId": i, "State": "available"} for n, i in zip(names, ids, strict=True)]
    return {"ec2.DescribeAvailabilityZones": {"AvailabilityZones": zones}}


def _endpoint(service: str, zones: tuple[str, ...] = ZONES) -> Json:
    name = f"com.amazonaws.us-east-1.{service}"
    return {"ServiceName": name, "ServiceType": [{"ServiceType": "Interface"}], "AvailabilityZones": list(zones)}


def _endpoints(model_zones: tuple[str, ...] = ZONES) -> Json:
    details = [_endpoint(service) for service in ("ecr.api", "ecr.dkr", "logs", "secretsmanager", "kms")]
    return {
        "ec2.DescribeVpcEndpointServices": {"ServiceDetails": [*details, _endpoint("bedrock-runtime", model_zones)]}
    }


def _prefix_lists(lattice: str = LATTICE) -> Json:
    names = {"vpc-lattice": lattice, "s3": S3}
    found = [{"PrefixListName": f"com.amazonaws.us-east-1.{n}", "PrefixListId": i} for n, i in names.items()]
    return {"ec2.DescribeManagedPrefixLists": {"PrefixLists": found}}


def _quota(name: str, value: float, *, applied: bool = True) -> Json:
    quotas = {"Quotas": [{"QuotaName": name, "Value": value}]}
    return {
        "service-quotas.ListServiceQuotas": quotas if applied else {"Quotas": []},
        "service-quotas.ListAWSDefaultServiceQuotas": quotas,
    }


def _words_key(key: str = WORDS_KEY, state: str = "Enabled") -> Json:
    return {"kms.DescribeKey": {"KeyMetadata": {"KeyId": key, "KeyState": state}}}


def _vcpus(value: float, *, applied: bool = True) -> Json:
    return _quota("Fargate On-Demand vCPU resource count", value, applied=applied)


def _quotas(*, vpcs: int = 1, policies: int = 3, own_vpc: bool = False) -> Json:
    tags = [{"Key": "application", "Value": "sanctum"}, {"Key": "environment", "Value": "prod"}]
    names = ("VPCs per Region", "EC2-VPC Elastic IPs", "DB clusters", "Application Load Balancers per Region")
    return {
        "service-quotas.ListServiceQuotas": {"Quotas": [{"QuotaName": n, "Value": 5} for n in names]},
        "service-quotas.ListAWSDefaultServiceQuotas": {"Quotas": []},
        "ec2.DescribeVpcs": {"Vpcs": [{"VpcId": f"vpc-{n}"} for n in range(vpcs)] + [{"Tags": tags}] * own_vpc},
        "ec2.DescribeAddresses": {"Addresses": []},
        "rds.DescribeDBClusters": {"DBClusters": [{"DBClusterIdentifier": "sanctum-prod-users"}]},
        "elbv2.DescribeLoadBalancers": {"LoadBalancers": []},
        "logs.DescribeResourcePolicies": {"resourcePolicies": [{"policyName": f"p{n}"} for n in range(policies)]},
    }


def _stack(trusted: str) -> Json:
    stack = {"StackName": "CDKToolkit", "CreationTime": dt.datetime(2026, 1, 1, tzinfo=dt.UTC), "StackStatus": "X"}
    parameters = [{"ParameterKey": "TrustedAccounts", "ParameterValue": trusted}]
    return {"cloudformation.DescribeStacks": {"Stacks": [stack | {"Parameters": parameters}]}}


def _versions(*versions: str) -> Json:
    found = [{"EngineVersion": v, "SupportedCACertificateIdentifiers": ["rds-ca-rsa2048-g1"]} for v in versions]
    return {"rds.DescribeDBEngineVersions": {"DBEngineVersions": found}}


def _serverless(zones: tuple[str, ...]) -> Json:
    options = [{"AvailabilityZones": [{"Name": zone} for zone in zones]}]
    return {"rds.DescribeOrderableDBInstanceOptions": {"OrderableDBInstanceOptions": options}}


def _nodes(zones: tuple[str, ...], *, encrypted: bool = True) -> Json:
    instance = {"InstanceType": "m7g.medium.search", "EncryptionEnabled": encrypted, "AvailabilityZones": list(zones)}
    return {
        "opensearch.ListVersions": {"Versions": ["OpenSearch_3.7", "OpenSearch_3.5"]},
        "opensearch.ListInstanceTypeDetails": {"InstanceTypeDetails": [instance]},
    }


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


def _opted(**types: bool) -> Json:
    return {"backup.DescribeRegionSettings": {"ResourceTypeOptInPreference": types}}


@dataclass(frozen=True)
class Case:
    """One check, one account: ``says`` is in what it says, or in what to do."""

    check: str
    name: str
    answers: Mapping[str, Json | Refused]
    state: State
    says: str
    of: str = "prod"
    settings: Mapping[str, object] = field(default_factory=dict[str, object])
    servers: set[str] | None = None


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
CASES = [
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
    Case("Zones", "ready", _zones(), GOOD, "us-east-1c is use1-az4"),
    Case("Zones", "no lattice", _zones(ids=("use1-az1", "use1-az2", "use1-az3")), BAD, "where there is no VPC Lattice"),
    Case(
        "Zones", "missing", _zones(names=("us-east-1a", "us-east-1b", "us-east-1f")), BAD, "us-east-1c does not exist"
    ),
    Case(
        "Zones",
        "other ids",
        _zones(),
        BAD,
        'write zone_ids = ["use1-az1", "use1-az2", "use1-az4"]',
        settings={"network.zone_ids": ("use1-az1", "use1-az2", "use1-az6")},
    ),
    Case("Endpoints", "ready", _endpoints(), GOOD, "bedrock-runtime is in"),
    Case(
        "Endpoints", "not everywhere", _endpoints(ZONES[:2]), BAD, "write network.model_endpoint_zones with us-east-1a"
    ),
    Case(
        "Endpoints",
        "none",
        {"ec2.DescribeVpcEndpointServices": {"ServiceDetails": []}},
        BAD,
        "kms is not in us-east-1a",
    ),
    Case("Endpoints", "nat", {}, GOOD, "none", settings={"network.egress": "nat"}),
    Case("Prefix lists", "ready", _prefix_lists(), GOOD, LATTICE),
    Case("Prefix lists", "another", _prefix_lists("pl-0aaaaaaaaaaaaaaaa"), BAD, 'lattice_prefix_list = "pl-0aaaaa'),
    Case("Prefix lists", "none", {"ec2.DescribeManagedPrefixLists": {"PrefixLists": []}}, BAD, "has no com.amazonaws"),
    Case("Fargate quota", "ready", _vcpus(400), GOOD, "400 vCPUs"),
    Case("Fargate quota", "default", _vcpus(6, applied=False), BAD, "of “Fargate On-Demand vCPU resource count”"),
    Case("Fargate quota", "less than written", _vcpus(39), BAD, "write fargate_vcpus = 39"),
    Case("Fargate quota", "renamed", _quota("Something", 1), UNKNOWN, "AWS names no quota"),
    Case("Quotas", "ready", _quotas(), GOOD, "“VPCs per Region” is 5: 1 are in use, and 1 needed"),
    Case("Quotas", "own", _quotas(vpcs=4, own_vpc=True), GOOD, "4 are in use"),
    Case("Quotas", "full", _quotas(vpcs=5), BAD, "ask for 6 of “VPCs per Region” of vpc"),
    Case("Quotas", "policies", _quotas(policies=9), BAD, "resource policies"),
    Case("Quotas", "addresses", _quotas(), GOOD, "0 are in use, and 3 needed", settings={"network.egress": "nat"}),
    Case(
        "Database",
        "ready",
        _versions("17.7") | _serverless(ZONES),
        GOOD,
        "serverless instances in us-east-1a, us-east-1b, us-east-1c",
    ),
    Case("Database", "zones", _versions("17.7") | _serverless(ZONES[:2]), BAD, "no serverless instances in us-east-1c"),
    Case("Database", "version", _versions(), BAD, "Aurora PostgreSQL 17.7 is not offered"),
    Case("Memory", "ready", _nodes(ZONES), GOOD, "m7g.medium.search for OpenSearch_3.5"),
    Case("Memory", "zones", _nodes(ZONES[1:]), BAD, "is not in us-east-1a"),
    Case("Memory", "unencrypted", _nodes(ZONES, encrypted=False), BAD, "cannot be encrypted"),
    Case("Memory", "another type", _nodes(ZONES), BAD, "is not offered", settings={"memory.instance": "x9.a.search"}),
    Case(
        "Memory",
        "no such type",
        _nodes(ZONES) | {"opensearch.ListInstanceTypeDetails": Refused("ValidationException: x")},
        BAD,
        "is not offered",
    ),
    Case("Memory", "engine", {"opensearch.ListVersions": {"Versions": ["OpenSearch_2.19"]}}, BAD, "is not offered in"),
    Case("Memory", "zones by id", _nodes(("use1-az1",)), UNKNOWN, "does not say in which zones"),
    Case("Memory", "zones not told", _nodes(()), UNKNOWN, "does not say in which zones"),
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


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.check}-{case.name}".replace(" ", "_"))
def test_an_account_that_is_not_ready_is_told_what_to_do(case: Case, ask: Ask) -> None:
    answers = ask(case.check, case.answers, of=case.of, settings=case.settings, servers=case.servers)
    found = [a for a in answers if case.says in a.text or case.says in a.remedy]
    assert [a.state for a in found][:1] == [case.state], answers
    if case.state is GOOD:
        assert {a.state for a in answers} <= {GOOD, UNKNOWN}
    assert all(a.remedy for a in answers if a.state is BAD)


def test_every_check_is_tried_with_an_account_that_is_ready_and_one_that_is_not() -> None:
    for check in CHECKS:
        states = {case.state for case in CASES if case.check == check.title}
        assert {GOOD, BAD} <= states or check.title == "Service-linked roles"


@pytest.mark.parametrize("check", [CREDENTIALS, *CHECKS], ids=lambda check: check.title.replace(" ", "_"))
def test_what_may_not_be_asked_is_not_known_and_names_the_permission(check: Check[Inquiry]) -> None:
    settings: dict[str, Mapping[str, object]] = {
        "Certificate": OWN_CERTIFICATE,
        "Key of the model": OUTSIDE,
        "Connection to GitHub": TOOLING,
    }
    environment = changed("prod", settings.get(check.title, {}))
    session = RecordedSession({}, otherwise=REFUSED)
    answers = answers_of(check, inquiry(session, environment))
    assert [answer.state for answer in answers] == [UNKNOWN]
    service, operation = session.asked[0][0].split(".")
    prefix = {"opensearch": "es", "service-quotas": "servicequotas"}.get(service, service)
    assert f"{prefix}:{operation} is missing" in answers[0].text


def test_an_answer_of_an_unexpected_form_is_not_known_and_costs_no_other_answer(ask: Ask) -> None:
    half = _zones()["ec2.DescribeAvailabilityZones"]["AvailabilityZones"]
    answers = ask("Zones", {"ec2.DescribeAvailabilityZones": {"AvailabilityZones": [*half, {"ZoneId": "use1-az9"}]}})
    assert [answer.state for answer in answers] == [UNKNOWN]
    assert "was not understood: KeyError" in answers[0].text
    answers = ask(
        "Bootstrap", {"ssm.GetParameter": {"Parameter": {"Value": "30"}}, "cloudformation.DescribeStacks": REFUSED}
    )
    assert [answer.state for answer in answers] == [GOOD, UNKNOWN]
