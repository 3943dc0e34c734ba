"""The Compute stack."""

from collections.abc import Mapping
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.compute.access import Access
from infra.compute.cluster import EncryptedCluster
from infra.compute.deployed_service import DeployedService
from infra.compute.firewall import LOG_GROUP_PREFIX, Firewall
from infra.compute.graphs import graphs
from infra.compute.key_alarms import KeyAlarms
from infra.compute.lattice import PrivateService, ServiceNetwork
from infra.compute.load_balancer import PublicLoadBalancer
from infra.compute.public_name import PublicName
from infra.compute.run_task.construct import TaskRunner
from infra.compute.schedules import Schedules
from infra.compute.values import cloud_values
from infra.data.stack import DataStack
from infra.encryption import EncryptedLogGroup, customer_key
from infra.network.stack import NetworkStack
from infra.network.vpc import APPLICATION
from infra.operations.dashboard import Dashboard
from infra.operations.stack import OperationsStack
from infra.services import Service
from infra.settings import Environment


class ComputeStack(cdk.Stack):
    """The services, those that are called before those that call them, and the two ways in: one for people, one for
    calls between the services."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        services: Mapping[str, Service],
        network: NetworkStack,
        operations: OperationsStack,
        data: DataStack,
    ) -> None:
        super().__init__(scope, construct_id, termination_protection=environment.protected)
        vpc, groups = network.vpc, network.security_groups
        key = customer_key(self, "TasksKey", environment=environment, purpose="tasks")
        cluster = EncryptedCluster(
            self, "Cluster", environment=environment, vpc=vpc, storage_key=key, logs_key=network.logs_key
        )
        alarms = cast("sns.ITopic", operations.alarms)
        firewall = None
        if environment.web.firewall:
            firewall = Firewall(
                self,
                "Firewall",
                name=environment.resource_name(),
                words=[path for service in services.values() for path in service.edge.words],
                requests_per_minute=environment.web.requests_per_minute_per_address,
                log_group=EncryptedLogGroup(
                    self,
                    "FirewallLogGroup",
                    environment=environment,
                    key=network.logs_key,
                    name=LOG_GROUP_PREFIX + environment.resource_name(),
                ),
                alarms=alarms,
            )
        balancer = PublicLoadBalancer(
            self,
            "Public",
            name=environment.resource_name(),
            vpc=vpc,
            security_group=groups.load_balancer,
            public_name=PublicName(self, "Name", name=environment.resource_name(), web=environment.web, alarms=alarms),
            firewall=firewall,
            logs=operations.access_logs,
            protected=environment.protected,
        )
        mesh = ServiceNetwork(self, "Mesh", environment=environment, vpc=vpc, security_group=groups.lattice)
        access = Access(environment, data)
        runner = TaskRunner(
            self, "RunTask", environment=environment, cluster=cluster, vpc=vpc, key=key, logs_key=network.logs_key
        )
        subnets = vpc.select_subnets(subnet_group_name=APPLICATION.subnet_group_name).subnet_ids
        schedules = Schedules(
            self, "Schedules", environment=environment, cluster=cluster, subnet_ids=subnets, key=key, topic=alarms
        )

        deployed: dict[str, DeployedService] = {}
        private: dict[str, PrivateService] = {}
        for name, service in services.items():
            if service.public:
                way_in = balancer.way_to(
                    service,
                    strategy=environment.compute.backend.strategy,
                    account=environment.account.id,
                    name=environment.resource_name(name),
                    topic=alarms,
                )
            else:
                way_in = private[name] = PrivateService(self, f"{name}-lattice", network=mesh, service=service)
            urls = {called: private[called].url for called in service.services}
            deployed[name] = DeployedService(
                self,
                environment=environment,
                service=service,
                values=cloud_values(environment, service, data=data, urls=urls),
                cluster=cluster,
                network=network,
                access=access,
                runner=runner,
                schedules=schedules,
                way_in=way_in,
                topic=alarms,
            )
        KeyAlarms(self, "KeyAlarms", environment=environment, log_group=deployed["backend"].log_group, topic=alarms)
        for name, called in private.items():
            called.allow([deployed[n].task_role for n, caller in services.items() if name in caller.services])
        if environment.operations.dashboard:
            Dashboard(
                self,
                "Dashboard",
                name=environment.resource_name(),
                graphs=graphs(
                    environment,
                    balancer_name=balancer.full_name,
                    services={name: service.fargate for name, service in deployed.items()},
                ),
            )
