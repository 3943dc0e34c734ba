"""What means trouble in the user database (Amazon Aurora guide, "Amazon CloudWatch metrics for Amazon Aurora").

Not watched: ``FreeLocalStorage``, which serverless instances do not have; ``CPUUtilization``, which is a share of the
most capacity and cannot be high where ``ACUUtilization`` is not.
"""

from infra.data.watch import Watch
from infra.setting_tables import Database

CONNECTIONS_AN_ACU = 189
"""Aurora allows at least so many connections for each unit of the most capacity (its guide, "Maximum connections for
Aurora serverless")."""
MOST_CONNECTIONS = 5000
MOST_CONNECTIONS_FROM_LITTLE = 2000
"""Where the least capacity is 0 or 0.5."""


def connection_limit(settings: Database) -> int:
    """Connections that the database takes at least, before it refuses more."""
    cap = MOST_CONNECTIONS if settings.min_acu >= 1 else MOST_CONNECTIONS_FROM_LITTLE
    return min(int(CONNECTIONS_AN_ACU * settings.max_acu), cap)


def users_watches(settings: Database) -> list[Watch]:
    """Alarms of a database with these settings. A paused one has no figures, and that is well."""
    watches = [
        Watch(
            name="capacity",
            metric="ACUUtilization",
            threshold=90,
            times=3,
            todo="The database has run at its most capacity for 15 minutes and everybody waits: raise "
            "database.max_acu, or find the statement that takes it in Database Insights.",
        ),
        Watch(
            name="connections",
            metric="DatabaseConnections",
            threshold=int(connection_limit(settings) * 0.8),
            todo="Four fifths of the connections that the database takes are open: see whether more tasks run than "
            "should, or raise database.max_acu.",
        ),
        Watch(
            name="deadlocks",
            metric="Deadlocks",
            statistic="Average",
            threshold=0.001,
            times=3,
            todo="Transactions keep waiting for each other: PostgreSQL ends one of them each time, and its person "
            "gets an error. Its log names the statements; this is a fault in the backend.",
        ),
        Watch(
            name="transaction-ids",
            metric="MaximumUsedTransactionIDs",
            threshold=1_000_000_000,
            todo="Half of the transaction numbers are used up because vacuuming does not get done; at two billion "
            "the database stops writing. Look for a transaction or a replication slot that never ended.",
        ),
    ]
    if settings.readers:
        watches.append(
            Watch(
                name="reader-lag",
                metric="AuroraReplicaLagMaximum",
                threshold=10_000,
                todo="A reader is 10 seconds behind the writer, so that taking over from it would take that much "
                "longer: see what it does, or restart it.",
            )
        )
    return watches
