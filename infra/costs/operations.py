"""What it costs to know what happens."""

from collections.abc import Iterator

from infra.costs import assumptions
from infra.costs.compute import tasks
from infra.costs.deployed import Deployed
from infra.costs.line import Line

DAYS_A_MONTH = 30


STORES = ("AWS/RDS", "AWS/ES")


def alarms(deployed: Deployed) -> Iterator[Line]:
    """Alarms, by the metrics that they look at; those of the stores by themselves, which an environment may save."""
    metrics = {"Alarms": 0, "Alarms of the stores": 0}
    for alarm in deployed.of("AWS::CloudWatch::Alarm"):
        what = "Alarms of the stores" if alarm.properties.get("Namespace") in STORES else "Alarms"
        metrics[what] += sum("MetricStat" in query for query in alarm.properties.get("Metrics", ())) or 1
    for what, number in metrics.items():
        if number:
            yield Line(what, f"on {number} metrics", "alarm", number)


def metrics(deployed: Deployed) -> Iterator[Line]:
    """Metrics made of log lines, but those of lines that an idle environment does not write: CloudWatch charges a
    metric by the hour in which it gets a figure.

    Raises:
        ValueError: one has a figure where nothing is logged.
    """
    made = [t for f in deployed.of("AWS::Logs::MetricFilter") for t in f.properties["MetricTransformations"]]
    if always := [t["MetricName"] for t in made if "DefaultValue" in t]:
        raise ValueError(f"{', '.join(always)}: with a figure in every minute, it is not as infra/costs counts it")
    idle = [t for t in made if t["MetricName"].rpartition(".")[2] not in assumptions.QUIET_METRICS]
    if made:
        yield Line("Metrics of our own", f"{len(idle)} of {len(made)} get figures, from logs", "metric", len(idle))


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
