"""The only way in from the internet."""

from http import HTTPStatus

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.compute.firewall import Firewall
from infra.compute.problems import problem
from infra.compute.public_name import PublicName
from infra.compute.public_targets import PublicTargets
from infra.network.vpc import PUBLIC
from infra.services import Service
from infra.setting_tables import Strategy

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
        self._balancer = balancer = elb.ApplicationLoadBalancer(
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
            # What callers say of their address stands before what the load balancer knows, and is not believed.
            xff_header_processing_mode=elb.XffHeaderProcessingMode.APPEND,
        )
        balancer.set_attribute("waf.fail_open.enabled", "false")
        self.full_name = balancer.load_balancer_full_name
        """By which CloudWatch knows it."""
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

    def way_to(
        self, service: Service, *, strategy: Strategy, account: str, name: str, topic: sns.ITopic
    ) -> PublicTargets:
        """Let people in to what ``service`` has for them, once its tasks are attached; see ``PublicTargets``."""
        return PublicTargets(
            self,
            service.name,
            service=service,
            strategy=strategy,
            vpc=self._vpc,
            balancer=self._balancer,
            listener=self._listener,
            account=account,
            name=name,
            topic=topic,
        )
