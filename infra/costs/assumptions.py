"""What templates do not say: how much an environment that nobody uses stores, writes down and asks for in a month.

Each is a round figure on the high side, and stands in ``docs/costs.md``.
"""

REQUESTS = 100_000
"""Of strangers who knock at every public address."""
DNS_QUERIES_A_TASK = 100_000
FLOW_LOG_GB_A_TASK = 0.5
"""Health checks and endpoints: a dozen connections a task in ten seconds, each written down at both ends."""
SERVICE_LOG_GB_A_TASK = 0.1
FIREWALL_LOG_GB = 0.2
DATABASE_GB = 10
DATABASE_IO_MILLIONS = 1
DATABASE_LOG_GB = 0.1
MONITORING_LOG_GB_AT_60_SECONDS = 0.3
"""Enhanced Monitoring of one instance."""
BUCKET_GB = 1
IMAGE_GB = 0.5
IMAGE_VERSIONS = 3
KMS_REQUESTS = 100_000
INSIGHTS_METRICS_A_CLUSTER = 20
INSIGHTS_METRICS_A_SERVICE = 40
INSIGHTS_METRICS_A_TASK = 25
"""Container Insights: figures of the cluster, of a service and its family, of a task and its container."""
QUIET_METRICS = ("ChangedOutside", "Errors", "Slow", "Untimed")
"""Metrics of our own that count lines of which an idle environment writes none: what goes wrong, and what people wait
for."""
BACKUPS_A_MONTH = 30
SCHEDULED_TASK_MINUTES = 2
AWAKE_ACU = 0.5
"""Of a database that a task has woken."""

TEXT = f"""\
* Traffic: {REQUESTS:,} requests a month of strangers; no people.
* Logs: flow logs {FLOW_LOG_GB_A_TASK} GB and the service's own log {SERVICE_LOG_GB_A_TASK} GB for each task, WAF \
{FIREWALL_LOG_GB} GB, the database {DATABASE_LOG_GB} GB and Enhanced Monitoring {MONITORING_LOG_GB_AT_60_SECONDS} GB \
for each instance at one reading a minute. Kept as long as `logs.retention_days` says, at full size though CloudWatch \
compresses them.
* Data: {DATABASE_GB} GB in the database and {DATABASE_IO_MILLIONS} million I/O requests, each copy by AWS Backup at \
full size; {BUCKET_GB} GB in each bucket; {IMAGE_VERSIONS} versions of each image of {IMAGE_GB} GB.
* DNS: {DNS_QUERIES_A_TASK:,} queries for each task. KMS: {KMS_REQUESTS:,} requests.
* Container Insights: {INSIGHTS_METRICS_A_CLUSTER} metrics for the cluster, {INSIGHTS_METRICS_A_SERVICE} for a service \
and {INSIGHTS_METRICS_A_TASK} for a task.
* Metrics of our own cost for the hours in which they get a figure: {", ".join(f"`{m}`" for m in QUIET_METRICS)} get \
none, the others count as if they got one in each.
* Scheduled tasks: {SCHEDULED_TASK_MINUTES} minutes each, for which a database that pauses is awake at {AWAKE_ACU} ACU.
* Tasks at their least and the database at its least capacity. What is free up to an amount (alarms, dashboards, \
logs, requests) is counted from the first, because the amount is the account's and not the environment's. Taxes, \
support plans and transfer are not counted."""
