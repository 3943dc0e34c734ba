"""The memory: an OpenSearch domain in the data subnets."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_opensearchservice as opensearch
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra import principals
from infra.data.memory_watch import memory_watches
from infra.data.quiet_hours import QuietHours
from infra.data.watch_alarms import add_watches
from infra.encryption import EncryptedLogGroup, removal_policy
from infra.network.vpc import DATA
from infra.settings import Environment

ENGINE = "OpenSearch_3.5"
_Domain = opensearch.CfnDomain


class MemoryDomain(Construct):
    """Encrypted in every way there is, and open to named roles alone.

    The domain's policy denies everybody else, because what IAM allows would do otherwise (Amazon OpenSearch Service
    guide, "When policies collide"). Fine-grained access control is off: it cannot be taken back, it knows users and
    passwords of its own beside IAM, and roles in it would have to be written before the first request; with one index
    and one service that uses it, it would tell nobody apart. For the same reason there are no audit logs, which need
    it: the AI core says itself what it does, and changes of the domain are in the trail.

    Made of the plain resource: the library's own class sets access and log policies by a function of its own, which
    runs beside the rest of a deployment. Slow logs stay off, because they hold what was searched for. OpenSearch
    Service keeps hourly snapshots of the last 14 days. CloudFormation cannot set Auto-Tune. There are no dedicated
    master nodes, which would double the price: with three zones two nodes are a majority without the third. With two
    nodes (staging) the domain stands still while one is lost, and one node (dev) has no second copy of anything.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        vpc: ec2.IVpc,
        security_group: ec2.ISecurityGroup,
        key: kms.Key,
        logs_key: kms.Key,
        readers: Sequence[str],
        alarms: sns.ITopic,
    ) -> None:
        """``readers``: ARNs of the roles that may use it; they need not exist yet."""
        super().__init__(scope, construct_id)
        settings = environment.memory
        zones = min(len(environment.network.zones), settings.nodes)
        name = environment.resource_name("memory")
        account, region = environment.account.id, environment.account.region
        self.arn = f"arn:aws:es:{region}:{account}:domain/{name}"

        log_group = EncryptedLogGroup(self, "LogGroup", environment=environment, key=logs_key, name="memory")
        may_log = logs.ResourcePolicy(
            self,
            "MayLog",
            resource_policy_name=name,
            policy_statements=[
                iam.PolicyStatement(
                    principals=[principals.service("es.amazonaws.com")],
                    actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                    resources=[log_group.log_group_arn],
                    conditions={"StringEquals": {"aws:SourceAccount": account}, "ArnLike": {"aws:SourceArn": self.arn}},
                )
            ],
        )
        self.resource = _Domain(
            self,
            "Domain",
            domain_name=name,
            engine_version=ENGINE,
            cluster_config=_Domain.ClusterConfigProperty(
                instance_type=settings.instance,
                instance_count=settings.nodes,
                zone_awareness_enabled=zones > 1,
                zone_awareness_config=_Domain.ZoneAwarenessConfigProperty(availability_zone_count=zones)
                if zones > 1
                else None,
                multi_az_with_standby_enabled=False,  # needs three dedicated master nodes
            ),
            ebs_options=_Domain.EBSOptionsProperty(
                ebs_enabled=True, volume_type="gp3", volume_size=settings.volume_gib
            ),
            vpc_options=_Domain.VPCOptionsProperty(
                subnet_ids=vpc.select_subnets(subnet_group_name=DATA.subnet_group_name).subnet_ids[:zones],
                security_group_ids=[security_group.security_group_id],
            ),
            encryption_at_rest_options=_Domain.EncryptionAtRestOptionsProperty(enabled=True, kms_key_id=key.key_id),
            node_to_node_encryption_options=_Domain.NodeToNodeEncryptionOptionsProperty(enabled=True),
            domain_endpoint_options=_Domain.DomainEndpointOptionsProperty(
                enforce_https=True, tls_security_policy="Policy-Min-TLS-1-2-PFS-2023-10"
            ),
            access_policies=_only(readers, account=account, resource=f"{self.arn}/*"),
            # Fixes of its software within ten quiet hours, beside the running nodes: nobody waits for them.
            software_update_options=_Domain.SoftwareUpdateOptionsProperty(auto_software_update_enabled=True),
            off_peak_window_options=_Domain.OffPeakWindowOptionsProperty(
                enabled=True,
                off_peak_window=_Domain.OffPeakWindowProperty(
                    window_start_time=_Domain.WindowStartTimeProperty(
                        hours=QuietHours(first=environment.operations.quiet_hour).domain_update, minutes=0
                    )
                ),
            ),
            log_publishing_options={
                "ES_APPLICATION_LOGS": _Domain.LogPublishingOptionProperty(
                    enabled=True, cloud_watch_logs_log_group_arn=log_group.log_group_arn
                )
            },
        )
        self.resource.apply_removal_policy(removal_policy(environment))
        # Without it a newer engine would be a new, empty domain.
        self.resource.cfn_options.update_policy = cdk.CfnUpdatePolicy(enable_version_upgrade=True)
        self.resource.node.add_dependency(may_log)
        add_watches(
            self,
            name=name,
            namespace="AWS/ES",
            dimensions={"DomainName": name, "ClientId": account},
            topic=alarms,
            watches=memory_watches(settings) if environment.operations.store_alarms else (),
        )
        self.url = f"https://{self.resource.attr_domain_endpoint}"


def _only(readers: Sequence[str], *, account: str, resource: str) -> dict[str, object]:
    """Allow ``readers`` and deny all others, by conditions: a principal that does not exist yet would be refused."""

    def statement(effect: str, principal: str, condition: str) -> dict[str, object]:
        return {
            "Effect": effect,
            "Principal": {"AWS": principal},
            "Action": "es:ESHttp*",
            "Resource": resource,
            "Condition": {condition: {"aws:PrincipalArn": list(readers)}},
        }

    return {
        "Version": "2012-10-17",
        "Statement": [
            statement("Allow", f"arn:aws:iam::{account}:root", "ArnEquals"),
            statement("Deny", "*", "ArnNotEquals"),
        ],
    }
