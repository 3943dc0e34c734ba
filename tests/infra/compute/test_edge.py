"""The load balancer: how people get in, to what, and what they get where there is nothing."""

from fnmatch import fnmatchcase
from pathlib import Path

from infra.services import read_services
from tests.infra.compute.edge import BALANCER, LISTENER, RULE, TARGETS, attributes_of, is_problem, set_attribute
from tests.infra.promise import Mutation, Stacks, adding, promise, setting, without
from tests.infra.template import read_application

CERTIFICATE = "arn:aws:acm:us-east-1:111122223333:certificate/00000000-0000-0000-0000-000000000000"
"""One that exists, which a public name is given."""
STREAM_COMMENT_SECONDS = 15
"""After which an event stream says something (docs/architecture.md)."""

FORWARD = [{"Type": "forward", "TargetGroupArn": "anything"}]
ANSWER = "DefaultActions.0.FixedResponseConfig"


def _balancer_attribute(key: str, value: str) -> Mutation:
    return set_attribute(BALANCER, "LoadBalancerAttributes", key, value)


def _listener_attribute(key: str, value: str) -> Mutation:
    return set_attribute(LISTENER, "ListenerAttributes", key, value)


@promise(
    plain=setting(LISTENER, "Protocol", "HTTP"),
    old_tls=setting(LISTENER, "SslPolicy", "ELBSecurityPolicy-2016-08"),
    tls_1_0_and_post_quantum=setting(LISTENER, "SslPolicy", "ELBSecurityPolicy-TLS13-1-0-PQ-2025-09"),
    default_tls=without(LISTENER, "SslPolicy"),
    port_80=adding("Compute", "Plain", {"Type": LISTENER, "Properties": {"Port": 80, "Protocol": "HTTP"}}),
    network_balancer=setting(BALANCER, "Type", "network"),
)
def test_people_get_in_by_tls_1_2_or_newer_on_port_443_and_nowhere_else(stacks: Stacks) -> None:
    assert [b["Type"] for b in stacks.properties(BALANCER)] == ["application"]
    ways_in = {(p["Port"], p["Protocol"], p.get("SslPolicy")) for p in stacks.properties(LISTENER)}
    assert ways_in == {(443, "HTTPS", "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09")}


@promise(
    an_hour=_listener_attribute("routing.http.response.strict_transport_security.header_value", "max-age=3600"),
    unset=without(LISTENER, "ListenerAttributes"),
    sniffed=_listener_attribute("routing.http.response.x_content_type_options.header_value", ""),
    chatty=_listener_attribute("routing.http.response.server.enabled", "true"),
)
def test_browsers_are_told_to_stay_with_https_and_nobody_who_serves_it(stacks: Stacks) -> None:
    (listener,) = stacks.properties(LISTENER)
    attributes = attributes_of(listener, "ListenerAttributes")
    hsts = attributes.get("routing.http.response.strict_transport_security.header_value")
    assert hsts == "max-age=63072000; includeSubDomains"
    assert attributes["routing.http.response.x_content_type_options.header_value"] == "nosniff"
    assert attributes["routing.http.response.server.enabled"] == "false"


@promise(
    defensive=_balancer_attribute("routing.http.desync_mitigation_mode", "defensive"),
    invalid_headers=_balancer_attribute("routing.http.drop_invalid_header_fields.enabled", "false"),
)
def test_a_request_that_two_servers_may_read_differently_is_refused(stacks: Stacks) -> None:
    (balancer,) = stacks.properties(BALANCER)
    attributes = attributes_of(balancer, "LoadBalancerAttributes")
    assert attributes["routing.http.desync_mitigation_mode"] == "strictest"
    assert attributes["routing.http.drop_invalid_header_fields.enabled"] == "true"


@promise(
    invented=_balancer_attribute("routing.http.xff_header_processing.mode", "preserve"),
    unknown=_balancer_attribute("routing.http.xff_header_processing.mode", "remove"),
)
def test_nobody_can_invent_the_address_that_limits_are_counted_by(stacks: Stacks) -> None:
    """The service believes the last address, from the load balancer alone: ``settings.trusted_proxies``."""
    (balancer,) = stacks.properties(BALANCER)
    assert attributes_of(balancer, "LoadBalancerAttributes")["routing.http.xff_header_processing.mode"] == "append"


@promise(deletable=_balancer_attribute("deletion_protection.enabled", "false"))
def test_the_load_balancer_cannot_be_deleted_where_people_are(stacks: Stacks) -> None:
    (balancer,) = stacks.properties(BALANCER)
    wanted = str(stacks.settings.protected).lower()
    assert attributes_of(balancer, "LoadBalancerAttributes")["deletion_protection.enabled"] == wanted


@promise(impatient=_balancer_attribute("idle_timeout.timeout_seconds", "15"))
def test_a_stream_is_not_cut_off_between_two_of_its_lines(stacks: Stacks) -> None:
    (balancer,) = stacks.properties(BALANCER)
    seconds = attributes_of(balancer, "LoadBalancerAttributes")["idle_timeout.timeout_seconds"]
    assert int(str(seconds)) >= 2 * STREAM_COMMENT_SECONDS


@promise(
    no_access_log=_balancer_attribute("access_logs.s3.enabled", "false"),
    no_connection_log=_balancer_attribute("connection_logs.s3.enabled", "false"),
    elsewhere=_balancer_attribute("access_logs.s3.bucket", "somebody-elses-bucket"),
)
def test_every_request_and_connection_is_written_down_in_our_bucket(stacks: Stacks) -> None:
    (balancer,) = stacks.properties(BALANCER)
    attributes = attributes_of(balancer, "LoadBalancerAttributes")
    outputs = stacks["Operations"].body["Outputs"].values()
    (exported,) = [o["Export"]["Name"] for o in outputs if o["Value"].get("Ref", "").startswith("AccessLogs")]
    for kind in ("access_logs", "connection_logs"):
        assert attributes[f"{kind}.s3.enabled"] == "true"
        assert attributes[f"{kind}.s3.bucket"] == {"Fn::ImportValue": exported}


@promise(
    plain=setting(TARGETS, "Protocol", "HTTP"),
    plain_checks=setting(TARGETS, "HealthCheckProtocol", "HTTP"),
    asks_the_database=setting(TARGETS, "HealthCheckPath", "/readyz"),
    anything_is_healthy=setting(TARGETS, "Matcher", {"HttpCode": "200-499"}),
)
def test_the_last_hop_is_https_and_asks_only_whether_the_process_lives(stacks: Stacks) -> None:
    backend = read_services()["backend"]
    groups = stacks.properties(TARGETS)
    assert groups
    for group in groups:
        assert (group["Protocol"], group["HealthCheckProtocol"]) == ("HTTPS", "HTTPS")
        assert (group["Port"], group["HealthCheckPath"]) == (backend.port, backend.health.live)
        assert group["Matcher"] == {"HttpCode": "200"}


@promise(cut_off=set_attribute(TARGETS, "TargetGroupAttributes", "deregistration_delay.timeout_seconds", "30"))
def test_a_request_that_runs_when_its_task_leaves_is_let_run_to_its_end(stacks: Stacks) -> None:
    grace = read_services()["backend"].grace
    for group in stacks.properties(TARGETS):
        delay = attributes_of(group, "TargetGroupAttributes")["deregistration_delay.timeout_seconds"]
        assert int(str(delay)) >= grace.stop_seconds


def _forwarded(stacks: Stacks) -> list[list[str]]:
    """For each rule that passes requests on, the path patterns of which one has to match; ``*`` where it has none."""
    rules = [p for p in stacks.properties(RULE) if any(a["Type"] == "forward" for a in p["Actions"])]
    paths = [
        [c["PathPatternConfig"]["Values"] for c in rule["Conditions"] if c["Field"] == "path-pattern"] for rule in rules
    ]
    return [values[0] if values else ["*"] for values in paths]


PATTERNS = "Conditions.0.PathPatternConfig.Values"


@promise(
    everything=setting(RULE, PATTERNS, ["/*"]),
    by_name=setting(RULE, PATTERNS, ["/api/v1/*", "/readyz"]),
    by_another_condition=setting(RULE, "Conditions", [{"Field": "host-header"}]),
    by_default=setting(LISTENER, "DefaultActions", FORWARD),
    by_another_rule=adding(
        "Compute", "Ready", {"Type": RULE, "Properties": {"Actions": FORWARD, "Conditions": [], "Priority": 9}}
    ),
)
def test_readiness_is_not_told_to_the_internet_however_the_path_is_written(stacks: Stacks) -> None:
    ready = read_services()["backend"].health.ready
    rules = _forwarded(stacks)
    assert rules
    ways = (ready, f"{ready}/", f"/{ready}", ready.upper(), "/%72eadyz", "/%2freadyz", f"/.{ready}", f"{ready};x")
    for patterns in rules:
        assert not [(way, p) for way in ways for p in patterns if fnmatchcase(way, p)]
    assert [a["Type"] for p in stacks.properties(LISTENER) for a in p["DefaultActions"]] == ["fixed-response"]


@promise(
    api_missing=setting(RULE, PATTERNS, ["/healthz", "/openapi.json"]),
    too_many_patterns=setting(RULE, PATTERNS, ["/api/v1/*", "/healthz", "/openapi.json", "/more"]),
)
def test_what_is_public_is_passed_on(stacks: Stacks) -> None:
    rules = _forwarded(stacks)
    assert rules
    for patterns in rules:
        assert patterns == list(read_services()["backend"].edge.paths)
        assert len(patterns) <= 3  # a condition has no more


@promise(
    web_page=setting(LISTENER, f"{ANSWER}.ContentType", "text/html"),
    plain_text=setting(LISTENER, f"{ANSWER}.MessageBody", "Not found"),
    nothing=without(LISTENER, f"{ANSWER}.MessageBody"),
    another_status=setting(LISTENER, f"{ANSWER}.StatusCode", "403"),
)
def test_an_address_where_nothing_is_answers_with_a_problem_document(stacks: Stacks) -> None:
    (listener,) = stacks.properties(LISTENER)
    (action,) = listener["DefaultActions"]
    answer = action["FixedResponseConfig"]
    assert (answer["StatusCode"], answer["ContentType"]) == ("404", "application/json")
    assert is_problem(answer.get("MessageBody", ""), 404)


@promise(
    silent=without("AWS::CloudWatch::Alarm", "AlarmActions"), late=setting("AWS::CloudWatch::Alarm", "Threshold", 1)
)
def test_people_are_told_a_month_before_the_certificate_expires(stacks: Stacks) -> None:
    (alarm,) = [p for p in stacks.properties("AWS::CloudWatch::Alarm") if p.get("MetricName") == "DaysToExpiry"]
    (watched,) = alarm["Dimensions"]
    certificates = [p["CertificateArn"] for listener in stacks.properties(LISTENER) for p in listener["Certificates"]]
    assert certificates == [watched["Value"]]
    assert (alarm["ComparisonOperator"], alarm["Statistic"], alarm["Period"]) == ("LessThanThreshold", "Minimum", 86400)
    assert alarm["Threshold"] >= 30
    assert alarm.get("AlarmActions")


def test_a_certificate_that_exists_is_watched_too_and_nothing_is_made_in_dns(alone: Path) -> None:
    (stack,) = read_application(alone / "public_name").values()
    (alarm,) = stack.properties("AWS::CloudWatch::Alarm")
    assert alarm["Dimensions"] == [{"Name": "CertificateArn", "Value": CERTIFICATE}]
    assert alarm["TreatMissingData"] == "ignore"
    assert stack.resources("AWS::CertificateManager::Certificate", "AWS::Route53::RecordSet") == {}
