"""Where the load balancer finds the tasks of a public service, and how it says that something is wrong with them."""

from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra import principals
from infra.operations.alarm import Alarm
from infra.services import Service
from infra.setting_tables import Strategy

MINUTE = cdk.Duration.minutes(1)
ERRORS, REQUESTS_AN_ERROR = 5, 100
"""Five errors a minute, and more than one in a hundred requests: one person who tries again is no outage, and a
thousand people who are served well do not hide fifty who are not."""


class PublicTargets(Construct):
    """A target group, or with ``strategy`` canary or blue_green two of them that deployments take turns with.

    Only whether the tasks live is asked: a pause of the database must not have every one replaced.

    ECS shifts requests between the two by changing the listener rule behind CloudFormation's back. A release that
    changes the rule itself would set it back, perhaps to the group that is empty: deploy such a one with the rolling
    strategy (Amazon ECS guide, "Application Load Balancer resources for blue/green, linear, and canary deployments").
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        service: Service,
        strategy: Strategy,
        vpc: ec2.IVpc,
        balancer: elb.ApplicationLoadBalancer,
        listener: elb.ApplicationListener,
        account: str,
        name: str,
        topic: sns.ITopic,
    ) -> None:
        """``name`` begins the names of the alarms."""
        super().__init__(scope, construct_id)
        self._service, self._account, self._balancer = service, account, balancer
        self.group = self._target_group("Targets", vpc)
        self.swaps = strategy != "rolling"
        """Whether requests move to another target group with each deployment."""
        self._groups = [self.group] + ([self._target_group("OtherTargets", vpc)] if self.swaps else [])
        self._rule = elb.ApplicationListenerRule(
            self,
            "Rule",
            listener=listener,
            priority=1,
            conditions=[elb.ListenerCondition.path_patterns(list(service.edge.paths))],
            action=elb.ListenerAction.weighted_forward(
                [
                    elb.WeightedTargetGroup(target_group=cast("elb.IApplicationTargetGroup", group), weight=weight)
                    for group, weight in zip(self._groups, (100, 0), strict=False)
                ]
            )
            if self.swaps
            else elb.ListenerAction.forward([self.group]),
        )
        self.alarms = [self._errors(name, topic), *self._unhealthy(name, topic)]

    def attach(self, fargate_service: ecs.FargateService) -> None:
        """Send requests to the tasks of ``fargate_service``."""
        alternate = None
        if self.swaps:
            role = self._shifter()
            alternate = ecs.AlternateTarget(
                "Alternate",
                alternate_target_group=self._groups[1],
                production_listener=ecs.ListenerRuleConfiguration.application_listener_rule(self._rule),
                role=cast("iam.IRole", role),
            )
            fargate_service.node.add_dependency(role)
        fargate_service.load_balancer_target(
            container_name=self._service.name, container_port=self._service.port, alternate_target=alternate
        ).attach_to_application_target_group(self.group)
        fargate_service.node.add_dependency(self._rule)  # a target group takes targets once something forwards to it

    def _target_group(self, construct_id: str, vpc: ec2.IVpc) -> elb.ApplicationTargetGroup:
        health = self._service.health
        return elb.ApplicationTargetGroup(
            self,
            construct_id,
            vpc=vpc,
            port=self._service.port,
            protocol=elb.ApplicationProtocol.HTTPS,
            target_type=elb.TargetType.IP,
            deregistration_delay=cdk.Duration.seconds(self._service.grace.in_flight_seconds),
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

    def _shifter(self) -> iam.Role:
        """What ECS moves requests with: ``AmazonECSInfrastructureRolePolicyForLoadBalancers``, for these alone."""
        role = iam.Role(self, "Shifter", assumed_by=principals.service("ecs.amazonaws.com", account=self._account))
        read = ("DescribeListeners", "DescribeRules", "DescribeTargetGroups", "DescribeTargetHealth")
        register = ("RegisterTargets", "DeregisterTargets")
        for actions, resources in (
            (read, ["*"]),  # these know no resources
            (register, [group.target_group_arn for group in self._groups]),
            (("ModifyRule",), [self._rule.listener_rule_arn]),
        ):
            names = [f"elasticloadbalancing:{action}" for action in actions]
            role.add_to_policy(iam.PolicyStatement(actions=names, resources=resources))
        return role

    def _errors(self, name: str, topic: sns.ITopic) -> Alarm:
        """Answers of 500 and above, the service's own and those that the load balancer gives in its place.

        Of the load balancer and not of a target group, so that it is the same with two of them. Also 503 because the
        model does not answer: a release that cannot reach it any more looks the same, and to go back costs nothing.
        """
        metrics = self._balancer.metrics
        own = metrics.http_code_target(elb.HttpCodeTarget.TARGET_5XX_COUNT, period=MINUTE)
        instead = metrics.http_code_elb(elb.HttpCodeElb.ELB_5XX_COUNT, period=MINUTE)
        errors = "(FILL(own, 0) + FILL(instead, 0))"  # neither is reported where it is nothing
        many = cloudwatch.MathExpression(
            expression=f"IF({errors} >= {ERRORS} AND {errors} * {REQUESTS_AN_ERROR} > FILL(requests, 0), 1, 0)",
            using_metrics={"own": own, "instead": instead, "requests": metrics.request_count(period=MINUTE)},
            period=MINUTE,
        )
        return Alarm(
            self,
            "Errors",
            name=f"{name}-errors",
            why=f"More than one in {REQUESTS_AN_ERROR} requests is answered with 500 and above: read the log.",
            metric=cast("cloudwatch.IMetric", many),
            threshold=1,
            minutes=2,
            of=3,
            topic=topic,
        )

    def _unhealthy(self, name: str, topic: sns.ITopic) -> list[Alarm]:
        """Longer than ECS takes to replace a task, so that it is not the one that is being replaced."""
        return [
            Alarm(
                self,
                f"Unhealthy{number}" if number else "Unhealthy",
                name=f"{name}-unhealthy-{number}" if number else f"{name}-unhealthy",
                why="The load balancer gets no answer from a task, and from those that replace it: read their log.",
                metric=group.metrics.unhealthy_host_count(statistic="Maximum", period=MINUTE),
                threshold=1,
                minutes=3,
                topic=topic,
            )
            for number, group in enumerate(self._groups)
        ]
