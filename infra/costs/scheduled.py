"""What runs by the clock, though nobody uses the environment: tasks, and the database that they wake."""

import re
from collections.abc import Iterator

from infra.costs import assumptions
from infra.costs.deployed import Deployed, Resource
from infra.costs.line import Line
from infra.costs.prices import HOURS

_RATE = re.compile(r"rate\((\d+) (hour|day)s?\)")
_HOURS = {"hour": 1, "day": 24}


def scheduled(deployed: Deployed) -> Iterator[Line]:
    """Scheduled tasks, by the runs of a month; a database that pauses is awake for each of them and until it pauses
    again."""
    runs = minutes = 0.0
    quantities: dict[str, float] = {}
    for schedule in deployed.of("AWS::Scheduler::Schedule"):
        (definition,) = (d for d in deployed.of("AWS::ECS::TaskDefinition") if schedule.mentions(d))
        often = _runs(schedule)
        runs += often
        minutes += often * assumptions.SCHEDULED_TASK_MINUTES
        architecture = definition.properties["RuntimePlatform"]["CpuArchitecture"].lower()
        for item, size in ((f"fargate.{architecture}.vcpu", "Cpu"), (f"fargate.{architecture}.gb", "Memory")):
            share = often * assumptions.SCHEDULED_TASK_MINUTES / 60 / HOURS
            quantities[item] = quantities.get(item, 0) + share * int(definition.properties[size]) / 1024
    for item, quantity in quantities.items():
        yield Line("Scheduled tasks", f"{runs:.0f} runs, {minutes:.0f} minutes, assumed", item, quantity)
    for cluster in deployed.of("AWS::RDS::DBCluster"):
        capacity = cluster.properties["ServerlessV2ScalingConfiguration"]
        if runs and float(capacity["MinCapacity"]) == 0:
            awake = assumptions.SCHEDULED_TASK_MINUTES + int(capacity["SecondsUntilAutoPause"]) / 60
            woken = runs * awake / 60 / HOURS * assumptions.AWAKE_ACU
            yield Line("Database, woken", f"{runs:.0f} times by tasks, for {awake:.0f} minutes", "aurora.acu", woken)


def _runs(schedule: Resource) -> float:
    """How often a month."""
    expression = str(schedule.properties["ScheduleExpression"])
    rate = _RATE.fullmatch(expression)
    if not rate:
        raise ValueError(f"{schedule.logical_id}: how often is {expression}? Count it in infra/costs/scheduled.py")
    return HOURS / (int(rate[1]) * _HOURS[rate[2]])


COUNTERS = {"AWS::Scheduler::Schedule": scheduled}
