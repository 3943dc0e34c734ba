"""The only way in from the internet."""

from http import HTTPStatus

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.compute.firewall import Firewall
from infra.compute.problems import problem
from infra.compute.public_name import PublicName
from infra.network.vpc import PUBLIC
from infra.services import Service

HSTS = "max-age=63072000; includeSubDomains"
IDLE_SECONDS = 60
"""More than the 15 seconds after which an event stream says something."""


class PublicLoadBalancer(Construct):
    """HTTPS on port 443 and nothing else, and HTTPS again to the tasks.

    Between it and a task nobody can listen, but the certificate that a task makes for itself is not verified; which
    versions of TLS are spoken there the task decides.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        vpc: ec2.IVpc,
        security_group: ec2.ISecurityGroup,
        public_name: PublicName,
        firewall: Firewall | None,
        logs: s3.IBucket,
        protected: bool,
    ) -> None:
        """Make it.

        Args:
            scope: Whose part it is.
            construct_id: Its name there.
            name: What AWS shows it as.
            vpc: Whose public subnets it is in.
            security_group: Who may reach it, and whom it may reach.
            public_name: What it is called, and its certificate.
            firewall: What looks at requests first.
            logs: Where access and connection logs go.
            protected: It cannot be deleted.
        """
        super().__init__(scope, construct_id)
        self._vpc = vpc
        balancer = elb.ApplicationLoadBalancer(
            self,
            "LoadBalancer",
            load_balancer_name=name,
            vpc=vpc,
            vpc_subnets=PUBLIC,
            internet_facing=True,
            security_group=security_group,
            deletion_protection=protected,
            desync_mitigation_mode=elb.DesyncMitigationMode.STRICTEST,
            drop_invalid_header_fields=True,
            idle_timeout=cdk.Duration.seconds(IDLE_SECONDS),
        )
        for kind in ("access_logs", "connection_logs"):
            balancer.set_attribute(f"{kind}.s3.enabled", "true")
            balancer.set_attribute(f"{kind}.s3.bucket", logs.bucket_name)
        public_name.point_to(balancer)
        self._listener = balancer.add_listener(
            "Https",
            port=443,
            protocol=elb.ApplicationProtocol.HTTPS,
            certificates=[public_name.certificate],
            ssl_policy=elb.SslPolicy.TLS13_12_RES_PQ,
            open=False,
            default_action=elb.ListenerAction.fixed_response(
                HTTPStatus.NOT_FOUND.value,
                content_type="application/json",
                message_body=problem(HTTPStatus.NOT_FOUND, "There is nothing at this address."),
            ),
        )
        self._listener.set_attribute("routing.http.response.strict_transport_security.header_value", HSTS)
        self._listener.set_attribute("routing.http.response.x_content_type_options.header_value", "nosniff")
        self._listener.set_attribute("routing.http.response.server.enabled", "false")
        if firewall:
            # Before that nothing can be reached, and AWS WAF has had the minutes that the load balancer takes: it
            # refuses to guard what it has not heard of yet.
            self._listener.node.add_dependency(firewall.guard(balancer))

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
