"""What the backend's log says of keys that somebody has to look at."""

from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.compute.request_metrics import namespace
from infra.data.watch import Watch
from infra.data.watch_alarms import add_watches
from infra.settings import Environment

LATE_HOURS = 12
"""Two runs of ``backend.roll_keys``, and half of the time in which an erased person's backups are to become
unreadable: as long again is left to mend it."""
EVENTS = {
    "backend.NoErasureWaits": "keys.no_erasure_waits",
    "backend.ChangedOutside": "*.changed_outside",
}
"""Metrics, and the events of the backend's log that each counts: what was changed outside are credentials or keys."""
WATCHES = (
    Watch(
        name="roll-late",
        metric="backend.NoErasureWaits",
        statistic="Sum",
        threshold=1,
        minutes=60,
        times=LATE_HOURS,
        below=True,
        absence_is_wrong=True,
        todo=f"For {LATE_HOURS} hours no roll of keys has ended with nobody waiting: whoever asked to be erased can "
        "still be read in backups, for which they were promised 24 hours. Read the log of the task roll_keys, which "
        "can be run again at any time (docs/restore.md, When a roll is late).",
    ),
    Watch(
        name="changed-outside",
        metric="backend.ChangedOutside",
        statistic="Sum",
        threshold=1,
        todo="Credentials or keys in the user database are not as the backend wrote them, and were refused: somebody "
        "else writes to the database, or it was restored without backend.restore_keys. The backend's log names the "
        "account, and the database's log who was connected.",
    ),
)


class KeyAlarms(Construct):
    """Whether a roll of keys is late, and whether something was changed behind the backend's back."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        log_group: logs.ILogGroup,
        topic: sns.ITopic,
    ) -> None:
        """``log_group``: the backend's."""
        super().__init__(scope, construct_id)
        metrics = namespace(environment)
        for metric, event in EVENTS.items():
            logs.MetricFilter(
                self,
                metric,
                log_group=log_group,
                filter_pattern=logs.FilterPattern.literal(f'{{ $.event = "{event}" }}'),
                metric_namespace=metrics,
                metric_name=metric,
                metric_value="1",
            )
        name = environment.resource_name("keys")
        add_watches(self, name=name, namespace=metrics, dimensions={}, topic=topic, watches=WATCHES)
