"""The name that people reach Sanctum by."""

from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_route53_targets as targets
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.setting_tables import Web

LEAST_DAYS = 30
"""A certificate of ACM's own is renewed well before; one that was imported is the operator's to renew (ACM guide,
"Managed certificate renewal")."""


class PublicName(Construct):
    """Its certificate, its address where the zone is in this account, and an alarm before the certificate expires."""

    def __init__(self, scope: Construct, construct_id: str, *, name: str, web: Web, alarms: sns.ITopic) -> None:
        """``name`` is the alarm's first part."""
        super().__init__(scope, construct_id)
        self._zone = None
        if web.certificate_arn:
            self.certificate = acm.Certificate.from_certificate_arn(self, "Certificate", web.certificate_arn)
        else:
            # The zone's own name is of no interest: the only record in it is the whole public name.
            self._zone = route53.HostedZone.from_hosted_zone_attributes(
                self, "Zone", hosted_zone_id=str(web.hosted_zone_id), zone_name=web.domain
            )
            self.certificate = cast(
                "acm.ICertificate",
                acm.Certificate(
                    self,
                    "Certificate",
                    domain_name=web.domain,
                    validation=acm.CertificateValidation.from_dns(self._zone),
                ),
            )
        alarm = cloudwatch.Alarm(
            self,
            "Expiry",
            alarm_name=f"{name}-certificate-expires",
            alarm_description=f"The certificate of {web.domain} expires in less than {LEAST_DAYS} days",
            metric=self.certificate.metric_days_to_expiry(period=cdk.Duration.days(1), statistic="Minimum"),
            threshold=LEAST_DAYS,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            # Nothing more is said of one that has expired, which is no reason to take the alarm back.
            treat_missing_data=cloudwatch.TreatMissingData.IGNORE,
        )
        alarm.add_alarm_action(cast("cloudwatch.IAlarmAction", actions.SnsAction(alarms)))

    def point_to(self, balancer: elb.ApplicationLoadBalancer) -> None:
        """Make the address record; where the zone is elsewhere it is the operator's to make."""
        if self._zone:
            alias = cast("route53.IAliasRecordTarget", targets.LoadBalancerTarget(balancer))
            route53.ARecord(self, "Address", zone=self._zone, target=route53.RecordTarget.from_alias(alias))
