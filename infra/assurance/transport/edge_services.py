"""Services at Amazon's edge that have no interface in a VPC: CloudFront, and the names of API Gateway.

<https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-https.html>,
<https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-custom-domain-tls-version.html>.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from infra.assurance.facts import Fact, Relation
from infra.assurance.model import identity
from infra.assurance.model.assembly import Json
from infra.assurance.model.model import Model
from infra.assurance.model.resource import Resource
from infra.assurance.transport.tls import API_GATEWAY, CLOUDFRONT, NONE, TLS10, TLS12, lowest, of_policy, version
from infra.assurance.transport.values import at, known, read, tables, texts, truth

INTERNET: Final = "internet"
_ADDRESSES: Final = ("DNSName", "RegionalDomainName", "DomainName", "DualStackDomainName", "WebsiteURL", "FunctionUrl")


def hops(model: Model) -> list[Fact]:
    """From the internet to each, and from each distribution to its origins. What has no model is refused."""
    found: list[Fact] = []
    for kind, reader in _READERS.items():
        for resource in model.of_type(kind):
            with model.refusals.collected():
                found += list(reader(model, resource))
    return found


def _hop(source: str, target: str, protocol: str, tls: str, *evidence: Resource) -> Fact:
    return Fact(Relation.HOP, (source, target, protocol, tls), evidence)


def _distribution(model: Model, distribution: Resource) -> Iterator[Fact]:
    behaviors = tables(read(distribution, "DistributionConfig.DefaultCacheBehavior"))
    behaviors += tables(read(distribution, "DistributionConfig.CacheBehaviors"))
    policies = {str(behavior.get("ViewerProtocolPolicy")) for behavior in behaviors}
    yield _hop(INTERNET, distribution.name, "HTTPS", _viewer_version(distribution), distribution)
    if "redirect-to-https" in policies:
        yield _hop(INTERNET, distribution.name, "HTTP redirect", NONE, distribution)
    plain = bool(policies - {"redirect-to-https", "https-only"})
    if plain:
        yield _hop(INTERNET, distribution.name, "HTTP", NONE, distribution)
    for origin in tables(read(distribution, "DistributionConfig.Origins")):
        yield from _origin(model, distribution, origin, plain=plain)


def _viewer_version(distribution: Resource) -> str:
    """CloudFront's own certificate sets the security policy to TLSv1, whatever is asked for."""
    certificate = read(distribution, "DistributionConfig.ViewerCertificate")
    if not certificate or str(at(certificate, "CloudFrontDefaultCertificate")).lower() == "true":
        return TLS10
    asked = known(at(certificate, "MinimumProtocolVersion") or "TLSv1", distribution, "MinimumProtocolVersion")
    return of_policy(asked, CLOUDFRONT, distribution)


def _origin(model: Model, distribution: Resource, origin: dict[str, Json], *, plain: bool) -> Iterator[Fact]:
    domain = str(origin.get("DomainName"))
    if vpc := origin.get("VpcOriginConfig"):
        gate = model.find(at(vpc, "VpcOriginId"), "AWS::CloudFront::VpcOrigin")
        if gate is None:
            raise distribution.refuse(f"has an origin in a VPC, {at(vpc, 'VpcOriginId')}, that is not in the assembly")
        settings, target = gate.value("VpcOriginEndpointConfig"), model.find(read(gate, "VpcOriginEndpointConfig.Arn"))
        yield from _by_settings(distribution, target.name if target else domain, settings, plain=plain)
    elif settings := origin.get("CustomOriginConfig"):
        yield from _by_settings(distribution, _named(model, domain), settings, plain=plain)
    else:  # a bucket is asked by the protocol that the viewer used
        yield _hop(distribution.name, _named(model, domain), "HTTPS", TLS12, distribution)
        if plain:
            yield _hop(distribution.name, _named(model, domain), "HTTP", NONE, distribution)


def _by_settings(distribution: Resource, target: str, settings: Json, *, plain: bool) -> Iterator[Fact]:
    policy = known(at(settings, "OriginProtocolPolicy") or "match-viewer", distribution, "OriginProtocolPolicy")
    if policy != "http-only":
        versions = [version(text, distribution) for text in texts(at(settings, "OriginSSLProtocols"))] or [TLS10]
        yield _hop(distribution.name, target, "HTTPS", lowest(versions), distribution)
    if policy == "http-only" or (policy == "match-viewer" and plain):
        yield _hop(distribution.name, target, "HTTP", NONE, distribution)


def _named(model: Model, domain: str) -> str:
    """The resource of the assembly that has the address, else the address."""
    for resource in model.of_type(*_ORIGINS):
        if any(str(identity.attribute(resource, address)) in domain for address in _ADDRESSES):
            return resource.name
    return domain


_ORIGINS: Final = (
    "AWS::S3::Bucket",
    "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "AWS::ElasticLoadBalancing::LoadBalancer",
    "AWS::Lambda::Url",
)


def _domain_name(_model: Model, domain: Resource) -> Iterator[Fact]:
    policy = known(domain.value("SecurityPolicy") or "TLS_1_0", domain, "SecurityPolicy")
    yield _hop(INTERNET, domain.name, "HTTPS", of_policy(policy, API_GATEWAY, domain), domain)


def _domain_name_v2(_model: Model, domain: Resource) -> Iterator[Fact]:
    for settings in tables(domain.value("DomainNameConfigurations")):
        policy = known(settings.get("SecurityPolicy") or "TLS_1_0", domain, "SecurityPolicy")
        yield _hop(INTERNET, domain.name, "HTTPS", of_policy(policy, API_GATEWAY, domain), domain)


def _rest_api(_model: Model, api: Resource) -> Iterator[Fact]:
    """At its default address: TLS 1.0, unless it says otherwise. A private API is reached through an endpoint."""
    if truth(api, "DisableExecuteApiEndpoint", default=False) or "PRIVATE" in texts(
        read(api, "EndpointConfiguration.Types")
    ):
        return
    policy = known(api.value("SecurityPolicy") or "TLS_1_0", api, "SecurityPolicy")
    yield _hop(INTERNET, api.name, "HTTPS", of_policy(policy, API_GATEWAY, api), api)


def _http_api(_model: Model, api: Resource) -> Iterator[Fact]:
    if not truth(api, "DisableExecuteApiEndpoint", default=False):
        yield _hop(INTERNET, api.name, "HTTPS", TLS12, api)


def _at_endpoint_of_aws(_model: Model, resource: Resource) -> Iterator[Fact]:
    """<https://aws.amazon.com/blogs/security/tls-1-2-required-for-aws-endpoints/>."""
    yield _hop(INTERNET, resource.name, "HTTPS", TLS12, resource)


def _app_runner(model: Model, service: Resource) -> Iterator[Fact]:
    if truth(service, "NetworkConfiguration.IngressConfiguration.IsPubliclyAccessible", default=True):
        yield from _at_endpoint_of_aws(model, service)


def _website(_model: Model, bucket: Resource) -> Iterator[Fact]:
    """A bucket as a website speaks HTTP only: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/WebsiteEndpoints.html>."""
    if bucket.value("WebsiteConfiguration"):
        yield _hop(INTERNET, bucket.name, "HTTP", NONE, bucket)


_READERS: Final[Mapping[str, Callable[[Model, Resource], Iterator[Fact]]]] = {
    "AWS::ApiGateway::DomainName": _domain_name,
    "AWS::ApiGateway::DomainNameV2": _domain_name,
    "AWS::ApiGateway::RestApi": _rest_api,
    "AWS::ApiGatewayV2::Api": _http_api,
    "AWS::ApiGatewayV2::DomainName": _domain_name_v2,
    "AWS::AppRunner::Service": _app_runner,
    "AWS::AppSync::GraphQLApi": _at_endpoint_of_aws,
    "AWS::CloudFront::Distribution": _distribution,
    "AWS::Cognito::UserPoolDomain": _at_endpoint_of_aws,
    "AWS::Lambda::Url": _at_endpoint_of_aws,
    "AWS::S3::Bucket": _website,
}
