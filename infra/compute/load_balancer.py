"""The only way in from the internet."""

from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_route53_targets as targets
from constructs import Construct

from infra.network.vpc import PUBLIC
from infra.services import Service
from infra.settings import Environment

HSTS = "max-age=63072000; includeSubDomains"
IDLE_SECONDS = 60
"""More than the 15 seconds after which an event stream says something."""


class PublicLoadBalancer(Construct):
    """HTTPS on port 443 and nothing else, and HTTPS again to the tasks."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        vpc: ec2.IVpc,
        security_group: ec2.ISecurityGroup,
    ) -> None:
        super().__init__(scope, construct_id)
        self._vpc, web = vpc, environment.web
        balancer = elb.ApplicationLoadBalancer(
            self,
            "LoadBalancer",
            load_balancer_name=environment.resource_name(),
            vpc=vpc,
            vpc_subnets=PUBLIC,
            internet_facing=True,
            security_group=security_group,
            deletion_protection=environment.protected,
            desync_mitigation_mode=elb.DesyncMitigationMode.STRICTEST,
            drop_invalid_header_fields=True,
            idle_timeout=cdk.Duration.seconds(IDLE_SECONDS),
        )
        if web.certificate_arn:
            certificate = acm.Certificate.from_certificate_arn(self, "Certificate", web.certificate_arn)
        else:
            # The zone's own name is of no interest: the only record in it is the whole public name.
            zone = route53.HostedZone.from_hosted_zone_attributes(
                self, "Zone", hosted_zone_id=str(web.hosted_zone_id), zone_name=web.domain
            )
            certificate = acm.Certificate(
                self, "Certificate", domain_name=web.domain, validation=acm.CertificateValidation.from_dns(zone)
            )
            route53.ARecord(
                self,
                "Address",
                zone=zone,
                target=route53.RecordTarget.from_alias(
                    cast("route53.IAliasRecordTarget", targets.LoadBalancerTarget(balancer))
                ),
            )
        self._listener = balancer.add_listener(
            "Https",
            port=443,
            protocol=elb.ApplicationProtocol.HTTPS,
            certificates=[certificate],
            ssl_policy=elb.SslPolicy.TLS13_12_RES_PQ,
            open=False,
            default_action=elb.ListenerAction.fixed_response(404),
        )
        self._listener.set_attribute("routing.http.response.strict_transport_security.header_value", HSTS)
        self._listener.set_attribute("routing.http.response.server.enabled", "false")

    def send_to(self, fargate_service: ecs.FargateService, service: Service) -> None:
        """Send what people may reach of ``service`` to its tasks. Only whether these live is asked: a pause of the
        database must not have every one replaced."""
        health = service.health
        group = elb.ApplicationTargetGroup(
            self,
            "Targets",
            vpc=self._vpc,
            port=service.port,
            protocol=elb.ApplicationProtocol.HTTPS,
            target_type=elb.TargetType.IP,
            targets=[fargate_service],
            deregistration_delay=cdk.Duration.seconds(service.grace.in_flight_seconds),
            health_check=elb.HealthCheck(
                path=health.live,
                protocol=elb.Protocol.HTTPS,
                healthy_http_codes="200",
                interval=cdk.Duration.seconds(health.interval_seconds),
                timeout=cdk.Duration.seconds(health.timeout_seconds),
                healthy_threshold_count=health.healthy_count,
                unhealthy_threshold_count=health.unhealthy_count,
            ),
        )
        self._listener.add_action(
            "Service",
            priority=1,
            conditions=[elb.ListenerCondition.path_patterns(list(service.edge.paths))],
            action=elb.ListenerAction.forward([group]),
        )
