"""What a setting costs; ``$item`` becomes the price of that item in ``infra/costs/prices.csv``, a month if it can."""

import re

from infra.costs.prices import Prices

COSTS = {
    "account.trail": "The first trail of management events is free; its key $kms.key.",
    "network.zones": "Each zone: $endpoint.hour for each interface endpoint, $ipv4.hour for the load balancer's "
    "address.",
    "network.egress": "An interface endpoint $endpoint.hour in each zone. A NAT gateway $nat.hour, its address "
    "$ipv4.hour, and $nat.gb for each GB.",
    "network.endpoint_zones": "Each of six endpoints $endpoint.hour a zone.",
    "network.model_endpoint_zones": "$endpoint.hour a zone.",
    "network.nat_zones": "$nat.hour and $ipv4.hour a zone.",
    "database.min_acu": "One ACU all the time $aurora.acu for each instance; 0 costs storage alone while paused.",
    "database.max_acu": "$aurora.acu for each ACU of each instance, were it needed all the time.",
    "database.readers": "Each $aurora.acu for each ACU.",
    "database.backup_days": "Free up to the size of the database, $backup.storage for each GB beyond it.",
    "database.insights": "$aurora.insights for each ACU and $logs.ingest for each GB of readings.",
    "memory.instance": "$opensearch.t3.small.search for a node of `t3.small.search`, $opensearch.m7g.medium.search "
    "of `m7g.medium.search`, $opensearch.m7g.large.search of `m7g.large.search`.",
    "memory.nodes": "As `memory.instance`, each.",
    "memory.volume_gib": "$opensearch.gp3 for each GiB of each node.",
    "backup.enabled": "$backup.storage for each GB of each copy that is kept; the vault's key $kms.key.",
    "backup.days": "$backup.storage for each GB and day.",
    "backup.copy_region": "$backup.storage for each GB of each copy, $backup.copy for each GB copied, and a key "
    "$kms.key.",
    "model.provider": "The tokens. Outside AWS also a NAT gateway, $nat.hour and $ipv4.hour a zone.",
    "model.name": "The tokens: `us.amazon.nova-lite-v1:0` $nova_lite.input for a million in a prompt and "
    "$nova_lite.output in a reply.",
    "model.context_tokens": "The longest prompt costs as many tokens.",
    "model.reply_tokens": "The longest reply costs as many tokens.",
    "web.hosted_zone_id": "$route53.zone.",
    "web.firewall": "$waf.acl, $waf.rule for each rule or managed group, $waf.requests for a million requests.",
    "operations.dashboard": "$dashboard; the first three of an account are free.",
    "operations.store_alarms": "$alarm for each of 13 alarms, and 14 with a reader.",
    "limits.messages_per_day": "A reply each: the longest prompt and reply of `[model]`, in tokens.",
    "compute.architecture": "A vCPU and a GiB of a task $fargate.arm64.vcpu and $fargate.arm64.gb on ARM64, "
    "$fargate.x86_64.vcpu and $fargate.x86_64.gb on X86_64.",
    "compute.insights": "$container_insights for each metric; a service has 40, a task 25 or so.",
    "compute.backend.least": "A task each, all the time: see `compute.architecture`.",
    "compute.backend.most": "A task each, while there is that much to do.",
    "compute.backend.cpu": "See `compute.architecture`.",
    "compute.backend.memory_mib": "See `compute.architecture`.",
    "compute.ai_core.least": "A task each, all the time: see `compute.architecture`.",
    "compute.ai_core.most": "A task each, while there is that much to do.",
    "compute.ai_core.cpu": "See `compute.architecture`.",
    "compute.ai_core.memory_mib": "See `compute.architecture`.",
    "images.signed": "What AWS Signer asks for a signature: one for each image that is pushed.",
    "logs.level": "$logs.ingest for each GB written; `debug` writes several times as much as `info`.",
    "logs.retention_days": "$logs.storage for each GB that is kept.",
}


def cost_of(path: str, prices: Prices) -> str:
    """What the setting costs, with amounts in US dollars; empty where it costs nothing."""

    def amount(match: re.Match[str]) -> str:
        item = match["item"]
        usd = prices.month(item)
        lasting = prices[item].unit.endswith(("-hour", "-month"))
        return f"{usd:{'.2f' if usd >= 0.1 else 'g'}} USD{' a month' if lasting else ''}"  # noqa: PLR2004  # ten cents

    return re.sub(r"\$(?P<item>[a-z0-9_]+(\.[a-z0-9_]+)*)", amount, COSTS.get(path, ""))
