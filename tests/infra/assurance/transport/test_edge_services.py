"""What CloudFront, API Gateway and websites admit from the internet, and how CloudFront asks its origins."""

from pathlib import Path
from typing import Any

import pytest

from tests.infra.assurance.transport.reading import Json, hops_of, model_of, resource

UNSET: Json = {}
NO_HOP: set[tuple[str, str]] = set()
CERTIFICATE = {"AcmCertificateArn": "arn:aws:acm:us-east-1:1:certificate/x", "MinimumProtocolVersion": "TLSv1.2_2021"}


def _distribution(policy: str, origin: Json, certificate: Json | None) -> dict[str, Json]:
    configuration: dict[str, Any] = {
        "DefaultCacheBehavior": {"ViewerProtocolPolicy": policy, "TargetOriginId": "o"},
        "Origins": [{"Id": "o", **origin}],
    }
    if certificate:
        configuration["ViewerCertificate"] = certificate
    return {
        "Site": resource("AWS::CloudFront::Distribution", path="site", DistributionConfig=configuration),
        "Balancer": resource("AWS::ElasticLoadBalancingV2::LoadBalancer", path="balancer"),
        "Bucket": resource("AWS::S3::Bucket", path="bucket"),
    }


def test_viewers_meet_the_version_of_the_certificate_and_plain_http_where_it_is_allowed(tmp_path: Path) -> None:
    bucket = {"DomainName": {"Fn::GetAtt": ["Bucket", "RegionalDomainName"]}, "S3OriginConfig": {}}
    strict = model_of(tmp_path / "a", _distribution("https-only", bucket, CERTIFICATE))
    assert hops_of(strict) == {("internet", "site", "HTTPS", "TLSv1.2"), ("site", "bucket", "HTTPS", "TLSv1.2")}
    redirecting = model_of(tmp_path / "b", _distribution("redirect-to-https", bucket, CERTIFICATE))
    assert ("internet", "site", "HTTP redirect", "none") in hops_of(redirecting)
    loose = model_of(tmp_path / "c", _distribution("allow-all", bucket, None))
    assert hops_of(loose) == {
        ("internet", "site", "HTTPS", "TLSv1.0"),
        ("internet", "site", "HTTP", "none"),
        ("site", "bucket", "HTTPS", "TLSv1.2"),
        ("site", "bucket", "HTTP", "none"),
    }


def test_an_origin_is_asked_in_plain_text_if_viewers_may_and_it_follows_them(tmp_path: Path) -> None:
    settings: Json = {"OriginProtocolPolicy": "match-viewer", "OriginSSLProtocols": ["TLSv1.2"]}
    origin = {"DomainName": {"Fn::GetAtt": ["Balancer", "DNSName"]}, "CustomOriginConfig": settings}
    plain = ("site", "balancer", "HTTP", "none")
    assert plain in hops_of(model_of(tmp_path / "a", _distribution("allow-all", origin, CERTIFICATE)))
    assert plain not in hops_of(model_of(tmp_path / "b", _distribution("https-only", origin, CERTIFICATE)))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"OriginProtocolPolicy": "https-only", "OriginSSLProtocols": ["TLSv1.2"]}, {("HTTPS", "TLSv1.2")}),
        ({"OriginProtocolPolicy": "https-only", "OriginSSLProtocols": ["TLSv1.2", "TLSv1"]}, {("HTTPS", "TLSv1.0")}),
        ({"OriginProtocolPolicy": "http-only"}, {("HTTP", "none")}),
    ],
)
def test_an_origin_is_asked_as_its_settings_say(tmp_path: Path, settings: Json, expected: set[tuple[str, str]]) -> None:
    origin = {"DomainName": {"Fn::GetAtt": ["Balancer", "DNSName"]}, "CustomOriginConfig": settings}
    model = model_of(tmp_path, _distribution("https-only", origin, CERTIFICATE))
    assert {values[2:] for values in hops_of(model) if values[:2] == ("site", "balancer")} == expected


@pytest.mark.parametrize(
    ("kind", "properties", "expected"),
    [
        ("AWS::ApiGateway::DomainName", {"SecurityPolicy": "TLS_1_2"}, {("HTTPS", "TLSv1.2")}),
        ("AWS::ApiGateway::DomainName", {"SecurityPolicy": "SecurityPolicy_TLS13_1_3_2025_09"}, {("HTTPS", "TLSv1.3")}),
        ("AWS::ApiGateway::DomainName", UNSET, {("HTTPS", "TLSv1.0")}),
        ("AWS::ApiGateway::RestApi", UNSET, {("HTTPS", "TLSv1.0")}),
        ("AWS::ApiGateway::RestApi", {"DisableExecuteApiEndpoint": True}, NO_HOP),
        ("AWS::ApiGateway::RestApi", {"EndpointConfiguration": {"Types": ["PRIVATE"]}}, NO_HOP),
        ("AWS::ApiGatewayV2::Api", UNSET, {("HTTPS", "TLSv1.2")}),
        ("AWS::Lambda::Url", {"AuthType": "NONE"}, {("HTTPS", "TLSv1.2")}),
        ("AWS::S3::Bucket", {"WebsiteConfiguration": {"IndexDocument": "index.html"}}, {("HTTP", "none")}),
        ("AWS::S3::Bucket", UNSET, NO_HOP),
    ],
)
def test_the_internet_meets_what_the_service_admits(
    tmp_path: Path, kind: str, properties: Json, expected: set[tuple[str, str]]
) -> None:
    model = model_of(tmp_path, {"Thing": resource(kind, path="thing", **properties)})
    assert hops_of(model) == {("internet", "thing", *row) for row in expected}
