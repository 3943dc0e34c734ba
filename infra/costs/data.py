"""What is kept: the database, the memory, backups, buckets, and the keys and secrets."""

from collections.abc import Iterator

from infra.costs import assumptions
from infra.costs.deployed import Deployed
from infra.costs.line import Line


def database(deployed: Deployed) -> Iterator[Line]:
    """Aurora's instances at the least capacity, its storage and what its insights cost."""
    for cluster in deployed.of("AWS::RDS::DBCluster"):
        least = float(cluster.properties["ServerlessV2ScalingConfiguration"]["MinCapacity"])
        instances = [i for i in deployed.of("AWS::RDS::DBInstance") if i.mentions(cluster)]
        capacity = len(instances) * least
        state = "paused" if least == 0 else f"{least:g} ACU each"
        yield Line(
            "Database", f"{len(instances)} instance{'s' * (len(instances) > 1)}, {state}", "aurora.acu", capacity
        )
        yield Line("Database, storage", "assumed", "aurora.storage", assumptions.DATABASE_GB)
        if least > 0:
            yield Line("Database, I/O", "assumed", "aurora.io", assumptions.DATABASE_IO_MILLIONS)
        if cluster.properties.get("DatabaseInsightsMode") == "advanced":
            yield Line("Database Insights", "for each ACU", "aurora.insights", capacity)
        intervals = [
            int(interval)
            for monitored in (cluster, *instances)
            if (interval := monitored.properties.get("MonitoringInterval", 0))
        ]
        if intervals:
            gigabytes = len(instances) * assumptions.MONITORING_LOG_GB_AT_60_SECONDS * 60 / min(intervals)
            reading = f"each {min(intervals)} s, size assumed"
            yield Line("Enhanced Monitoring", reading, "logs.ingest", gigabytes)


def memory(deployed: Deployed) -> Iterator[Line]:
    """OpenSearch's nodes and their disks."""
    for domain in deployed.of("AWS::OpenSearchService::Domain"):
        cluster, disk = domain.properties["ClusterConfig"], domain.properties["EBSOptions"]["VolumeSize"]
        nodes, instance = int(cluster["InstanceCount"]), cluster["InstanceType"]
        yield Line("Memory", f"{nodes} × {instance}", f"opensearch.{instance}", nodes)
        yield Line("Memory, disks", f"{nodes} × {disk} GiB gp3", "opensearch.gp3", nodes * int(disk))
        if cluster.get("DedicatedMasterEnabled"):
            masters, kind = int(cluster["DedicatedMasterCount"]), cluster["DedicatedMasterType"]
            yield Line("Memory, managers", f"{masters} × {kind}", f"opensearch.{kind}", masters)


def backups(deployed: Deployed) -> Iterator[Line]:
    """AWS Backup: each copy at the full size of the database for as long as it is kept, here and in another region."""
    for plan in deployed.of("AWS::Backup::BackupPlan"):
        for rule in plan.properties["BackupPlan"]["BackupPlanRule"]:
            days = int(rule["Lifecycle"]["DeleteAfterDays"])
            size = assumptions.DATABASE_GB
            yield Line("Backups", f"{days} daily copies of {size} GB", "backup.storage", days * size)
            for copy in rule.get("CopyActions", ()):
                kept = int(copy["Lifecycle"]["DeleteAfterDays"])
                where = "in another region"
                yield Line("Backups, copies", f"{kept} of {size} GB, {where}", "backup.storage", kept * size)
                moved = assumptions.BACKUPS_A_MONTH * size
                yield Line("Backups, copying", f"{assumptions.BACKUPS_A_MONTH} of {size} GB", "backup.copy", moved)


def buckets(deployed: Deployed) -> Iterator[Line]:
    """Buckets, by what they hold."""
    if found := deployed.of("AWS::S3::Bucket"):
        gigabytes = len(found) * assumptions.BUCKET_GB
        yield Line("Buckets", f"{len(found)}, size assumed", "s3.storage", gigabytes)


def keys(deployed: Deployed) -> Iterator[Line]:
    """Customer-managed keys."""
    if found := deployed.of("AWS::KMS::Key", "AWS::KMS::ReplicaKey"):
        yield Line("Keys", f"{len(found)} of your own", "kms.key", len(found))
        yield Line("Keys, requests", "assumed", "kms.requests", assumptions.KMS_REQUESTS / 10_000)


def secrets(deployed: Deployed) -> Iterator[Line]:
    """Secrets, also those that RDS makes, and the epochs' keys."""
    managed = [c for c in deployed.of("AWS::RDS::DBCluster") if c.properties.get("ManageMasterUserPassword")]
    if number := len(deployed.of("AWS::SecretsManager::Secret")) + len(managed):
        yield Line("Secrets", f"{number}, {len(managed)} of them made by RDS", "secret", number)
    if regions := _regions_of_epochs(deployed):
        yield Line("Secrets of epochs", f"one in each of {regions} region{'s' * (regions > 1)}", "secret", regions)


def _regions_of_epochs(deployed: Deployed) -> int:
    """Where tasks keep an epoch's key; they make its secret, no template does."""
    told = [
        {pair["Name"]: pair["Value"] for pair in container.get("Environment", ())}
        for definition in deployed.of("AWS::ECS::TaskDefinition")
        for container in definition.properties["ContainerDefinitions"]
    ]
    copies = {region for each in told for region in each.get("RECOVERY_REGIONS", "").split(",") if region}
    return 1 + len(copies) if any("EPOCH_KEYS" in each for each in told) else 0


COUNTERS = {
    "AWS::RDS::DBCluster": database,
    "AWS::RDS::DBInstance": database,
    "AWS::OpenSearchService::Domain": memory,
    "AWS::Backup::BackupPlan": backups,
    "AWS::S3::Bucket": buckets,
    "AWS::KMS::Key": keys,
    "AWS::KMS::ReplicaKey": keys,
    "AWS::SecretsManager::Secret": secrets,
}
