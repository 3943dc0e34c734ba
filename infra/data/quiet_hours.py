"""When the stores are backed up and maintained: at night, and nothing at the same time as something else.

AWS Backup does not start from an hour before the database's own backup or maintenance until these are over (AWS
Backup guide, "Metrics", ``NumberOfBackupJobsFailed``), and a maintenance window may not overlap the backup window
(Amazon RDS, ``PreferredBackupWindow``).
"""

from dataclasses import dataclass

DAYS = ("sun", "mon")


@dataclass(frozen=True, kw_only=True)
class QuietHours:
    """Windows in UTC, counted from the ``first`` quiet hour (0 to 23)."""

    first: int

    @property
    def database_backup(self) -> str:
        """When Aurora takes its daily snapshot; what was written since is kept continuously."""
        return f"{self._time(0)}-{self._time(1)}"

    @property
    def database_maintenance(self) -> str:
        """When Aurora may do what cannot wait, in the night to or of a Sunday."""
        return f"{self._day(1)}:{self._time(1)}-{self._day(2)}:{self._time(2)}"

    @property
    def domain_update(self) -> int:
        """First of the ten hours in which OpenSearch Service may update a domain's software."""
        return self.first

    @property
    def copies(self) -> str:
        """When AWS Backup starts, each day: two hours after the database's maintenance window has ended."""
        return f"cron(0 {(self.first + 4) % 24} * * ? *)"

    def _time(self, after: int) -> str:
        return f"{(self.first + after) % 24:02}:00"

    def _day(self, after: int) -> str:
        return DAYS[(self.first + after) // 24]
