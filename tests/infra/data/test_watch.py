"""Every alarm of the stores reaches people, says what to do, and is silent about a paused database.

An environment may save them all, and no other alarm with them.
"""

from infra.data.users_watch import connection_limit
from infra.setting_tables import Database
from tests.infra.promise import Stacks, promise, setting, without
from tests.infra.template import Json, reference

ALARM = "AWS::CloudWatch::Alarm"
NEEDED = {
    "AWS/RDS": {"ACUUtilization", "DatabaseConnections", "Deadlocks", "MaximumUsedTransactionIDs"},
    "AWS/ES": {
        "AutomatedSnapshotFailure",
        "CPUUtilization",
        "ClusterIndexWritesBlocked",
        "ClusterStatus.red",
        "ClusterStatus.yellow",
        "FreeStorageSpace",
        "JVMMemoryPressure",
        "KMSKeyError",
        "KMSKeyInaccessible",
    },
}


def _alarms(stacks: Stacks, namespace: str) -> dict[str, Json]:
    """By metric; of an environment that saves them, there have to be none."""
    found = {a["MetricName"]: a for a in stacks["Data"].properties(ALARM) if a["Namespace"] == namespace}
    assert bool(found) == stacks.settings.operations.store_alarms
    return found


@promise(
    none=without(ALARM),
    to_nobody=setting(ALARM, "AlarmActions", []),
    says_nothing=without(ALARM, "AlarmDescription"),
    off=setting(ALARM, "ActionsEnabled", value=False),
)
def test_every_alarm_of_the_stores_goes_to_people_and_says_what_to_do(stacks: Stacks) -> None:
    for namespace, metrics in NEEDED.items():
        readers = (
            {"AuroraReplicaLagMaximum"} if namespace == "AWS/RDS" and stacks.settings.database.readers else set[str]()
        )
        assert set(_alarms(stacks, namespace)) in (metrics | readers, set[str]())
    for alarm in stacks["Data"].properties(ALARM):
        assert ["Alarms" in reference(action) for action in alarm.get("AlarmActions", [])] == [True]
        assert alarm.get("ActionsEnabled") in {None, True}
        assert len(alarm.get("AlarmDescription", "")) > 40
        assert alarm["AlarmName"].startswith(stacks.settings.resource_name())


@promise(
    paused=setting(ALARM, "TreatMissingData", "breaching"),
    unset=without(ALARM, "TreatMissingData"),
    another_cluster=setting(ALARM, "Dimensions", [{"Name": "DBClusterIdentifier", "Value": "other"}]),
)
def test_no_store_is_alarmed_about_because_it_has_no_figures(stacks: Stacks) -> None:
    """A paused database has none, and the figures for a lost key exist only while it is lost."""
    resource, account = stacks.settings.resource_name, stacks.settings.account.id
    own = {
        "AWS/RDS": {"DBClusterIdentifier": resource("users")},
        "AWS/ES": {"DomainName": resource("memory"), "ClientId": account},
    }
    for namespace, dimensions in own.items():
        for alarm in _alarms(stacks, namespace).values():
            assert alarm.get("TreatMissingData") == "notBreaching"
            assert {d["Name"]: d["Value"] for d in alarm["Dimensions"]} == dimensions


@promise(disk=setting(ALARM, "Threshold", 100_000))
def test_the_limits_follow_from_the_settings(stacks: Stacks) -> None:
    if not stacks.settings.operations.store_alarms:
        return
    disk = _alarms(stacks, "AWS/ES")["FreeStorageSpace"]
    assert (disk["ComparisonOperator"], disk["Threshold"]) == (
        "LessThanThreshold",
        stacks.settings.memory.volume_gib * 256,
    )
    connections = _alarms(stacks, "AWS/RDS")["DatabaseConnections"]["Threshold"]
    assert connections == int(connection_limit(stacks.settings.database) * 0.8)


def test_the_limit_of_connections_is_never_more_than_aurora_documents() -> None:
    """Amazon Aurora guide, "Maximum connections for Aurora serverless": most units and connections."""
    for most, documented in ((1, 189), (4, 823), (8, 1669), (16, 3360), (32, 5000), (256, 5000)):
        assert connection_limit(Database(min_acu=1, max_acu=most)) <= documented
        assert connection_limit(Database(min_acu=0, max_acu=most)) <= min(documented, 2000)
        assert connection_limit(Database(min_acu=1, max_acu=most)) >= documented * 0.85
