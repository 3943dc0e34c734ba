"""What the environment's dashboard shows: requests, how they are answered, and what answers them."""

from collections.abc import Mapping

from aws_cdk import aws_ecs as ecs

from infra.compute.request_metrics import namespace
from infra.data.users_database import NAME
from infra.operations.dashboard import Graph
from infra.settings import Environment


def graphs(environment: Environment, *, balancer_name: str, services: Mapping[str, ecs.FargateService]) -> list[Graph]:
    """The graphs, the people's side first; ``balancer_name`` is the load balancer's full name."""
    own = namespace(environment)
    people = ("LoadBalancer", balancer_name)
    users = ("DBClusterIdentifier", environment.resource_name(NAME))
    memory = ("DomainName", environment.resource_name("memory"), "ClientId", environment.account.id)

    def of_people(*metrics: str) -> list[list[object]]:
        return [["AWS/ApplicationELB", metric, *people] for metric in metrics]

    def of_services(metric: str, stat: str) -> list[list[object]]:
        return [
            [*("AWS/ECS", metric), *("ClusterName", s.cluster.cluster_name), *("ServiceName", s.service_name), line]
            for name, s in services.items()
            for line in [{"label": name, "stat": stat}]
        ]

    lattice = "SEARCH('{AWS/VpcLattice,Service} MetricName=\"%s\"', 'Sum')"
    first_byte: list[object] = ["AWS/ApplicationELB", "TargetResponseTime", *people]
    return [
        Graph("Requests", of_people("RequestCount")),
        Graph("Errors", of_people("HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count", "HTTPCode_Target_4XX_Count")),
        Graph("Seconds to the first byte", [[*first_byte, {"stat": stat}] for stat in ("p50", "p90", "p99")]),
        Graph("Slow requests", [[own, f"{name}.{what}"] for name in services for what in ("Slow", "Timed")]),
        Graph("Calls between the services", [[{"expression": lattice % "TotalRequestCount"}]]),
        Graph("Errors of these", [[{"expression": lattice % "HTTPCode_5XX_Count"}]]),
        Graph("Tasks", of_services("CPUUtilization", "SampleCount")),
        Graph("Processor, per cent", of_services("CPUUtilization", "Average")),
        Graph("Memory, per cent", of_services("MemoryUtilization", "Maximum")),
        Graph("Database", [["AWS/RDS", m, *users] for m in ("ACUUtilization", "CPUUtilization")], "Maximum"),
        Graph("Its connections", [["AWS/RDS", "DatabaseConnections", *users]], "Maximum"),
        Graph("Its commits, ms", [["AWS/RDS", "CommitLatency", *users]], "Average"),
        Graph("Memory store", [["AWS/ES", m, *memory] for m in ("CPUUtilization", "JVMMemoryPressure")], "Maximum"),
        Graph("Its free space, MB", [["AWS/ES", "FreeStorageSpace", *memory]], "Minimum"),
        Graph("Its searches, ms", [["AWS/ES", "SearchLatency", *memory]], "Average"),
    ]
