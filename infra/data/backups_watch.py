"""What means trouble with backups (AWS Backup guide, "AWS Backup metrics with Amazon CloudWatch")."""

from infra.data.watch import Watch

DAY = 24 * 60


def _missing(metric: str, what: str) -> Watch:
    return Watch(
        name="missing",
        metric=metric,
        statistic="Sum",
        threshold=1,
        minutes=DAY,
        times=2,  # one day may have none, because the time of day when it is done varies
        below=True,
        absence_is_wrong=True,
        todo=f"No {what} of the user database was completed in two days. After the first deployment this is so until "
        "the first night. Else see the jobs in AWS Backup, and whether the account has opted in to Aurora there.",
    )


BACKUPS = (
    _missing("NumberOfBackupJobsCompleted", "backup"),
    Watch(
        name="not-deleted",
        metric="NumberOfRecoveryPointsExpired",
        statistic="Sum",
        threshold=1,
        minutes=60,
        todo="A backup could not be deleted when its time was over, and what people had erased is still in it: delete "
        "it by hand.",
    ),
)
"""In the vault where they are made."""
COPIES = (_missing("NumberOfCopyJobsCompleted", "copy to another region"),)
"""In the vault they are copied to. AWS Backup counts in the region where the copying is done from."""
