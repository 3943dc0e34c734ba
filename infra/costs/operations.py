"""What it costs to know what happens."""

from collections.abc import Iterator

from infra.costs import assumptions
from infra.costs.compute import tasks
from infra.costs.deployed import Deployed
from infra.costs.line import Line

DAYS_A_MONTH = 30


def alarms(deployed: Deployed) -> Iterator[Line]:
    """Alarms, by the metrics that they look at."""
    metrics = sum(
        sum("MetricStat" in query for query in alarm.properties.get("Metrics", ())) or 1
        for alarm in deployed.of("AWS::CloudWatch::Alarm")
    )
    if metrics:
        yield Line("Alarms", f"on {metrics} metrics", "alarm", metrics)


def metrics(deployed: Deployed) -> Iterator[Line]:
    """Metrics made of log lines."""
    filters = deployed.of("AWS::Logs::MetricFilter")
    if number := sum(len(f.properties["MetricTransformations"]) for f in filters):
        yield Line("Metrics of our own", f"{number}, from logs", "metric", number)


def dashboards(deployed: Deployed) -> Iterator[Line]:
    """Dashboards."""
    if found := deployed.of("AWS::CloudWatch::Dashboard"):
        yield Line("Dashboard", f"{len(found)}", "dashboard", len(found))


def logs(deployed: Deployed) -> Iterator[Line]:
    """What the tasks, the network and the database write, and keeping it."""
    groups = deployed.of("AWS::Logs::LogGroup")
    running = sum(service.least for service in tasks(deployed))
    gigabytes = running * assumptions.SERVICE_LOG_GB_A_TASK
    if deployed.of("AWS::EC2::FlowLog"):
        gigabytes += running * assumptions.FLOW_LOG_GB_A_TASK
    gigabytes += sum(
        assumptions.DATABASE_LOG_GB
        for cluster in deployed.of("AWS::RDS::DBCluster")
        if cluster.properties.get("EnableCloudwatchLogsExports")
    )
    if groups and gigabytes:
        days = max(int(group.properties["RetentionInDays"]) for group in groups)
        yield Line("Logs", "services, network and database, assumed", "logs.ingest", gigabytes)
        yield Line("Logs, kept", f"for {days} days", "logs.storage", gigabytes * days / DAYS_A_MONTH)


COUNTERS = {
    "AWS::CloudWatch::Alarm": alarms,
    "AWS::Logs::MetricFilter": metrics,
    "AWS::CloudWatch::Dashboard": dashboards,
    "AWS::Logs::LogGroup": logs,
    "AWS::EC2::FlowLog": logs,
}
