"""Settings that make an environment cheaper than one that survives the loss of a zone, and what each gives up."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from infra.costs.line import Line
from infra.costs.prices import Prices
from infra.services import Service
from infra.settings import Environment
from infra.sizes import size_of


class UnknownWorth(LookupError):
    """What an economy saves cannot be told without an environment that does without it."""


class _Saved(Protocol):
    """What an economy saves a month, in US dollars."""

    def __call__(self, context: "Context") -> float: ...


@dataclass(frozen=True)
class Context:
    """What a saving is reckoned from: the environment and its bill, and the bill of one without economies."""

    environment: Environment
    services: Sequence[Service]
    lines: Sequence[Line]
    full: Sequence[Line]
    prices: Prices

    def quantity(self, what: str) -> float:
        """How much there is of a line of the environment's own bill."""
        return sum(line.quantity for line in self.lines if line.what == what)

    def of_full(self, *what: str) -> float:
        """What some lines of the bill without economies come to.

        Raises:
            UnknownWorth: it has no such line.
        """
        if missing := set(what) - {line.what for line in self.full}:
            raise UnknownWorth(f"the bill without economies has no {', '.join(sorted(missing))}")
        return sum(line.usd(self.prices) for line in self.full if line.what in what)


@dataclass(frozen=True)
class Economy:
    """``setting`` is an economy of the environments that it ``applies`` to."""

    setting: str
    applies: Callable[[Environment], bool]
    saves: _Saved
    gives_up: str


def _zones_of_endpoints(context: Context) -> float:
    network = context.environment.network
    left_out = len(network.zones) / len(network.endpoint_zones) - 1
    return context.prices.month("endpoint.hour", context.quantity("Interface endpoints") * left_out)


def _zones_of_nat(context: Context) -> float:
    network = context.environment.network
    left_out = len(network.zones) - len(network.nat_zones)
    return left_out * (context.prices.month("nat.hour") + context.prices.month("ipv4.hour"))


def _least_capacity(context: Context) -> float:
    return context.prices.month("aurora.acu", 0.5 * (1 + context.environment.database.readers))


def _one_node(context: Context) -> float:
    memory = context.environment.memory
    node = context.prices.month(f"opensearch.{memory.instance}")
    return (len(context.environment.network.zones) - 1) * (
        node + context.prices.month("opensearch.gp3", memory.volume_gib)
    )


def _one_task(context: Context) -> float:
    environment, prices = context.environment, context.prices
    processor = f"fargate.{environment.compute.architecture.lower()}"
    saved = 0.0
    for service in context.services:
        if getattr(environment.compute, service.name).least == 1:
            size = size_of(environment, service)
            saved += prices.month(f"{processor}.vcpu", size.cpu / 1024)
            saved += prices.month(f"{processor}.gb", size.memory_mib / 1024)
    return saved


def _small_tasks(context: Context) -> float:
    environment, prices = context.environment, context.prices
    processor = f"fargate.{environment.compute.architecture.lower()}"
    saved = 0.0
    for service in context.services:
        size, least = size_of(environment, service), getattr(environment.compute, service.name).least
        saved += prices.month(f"{processor}.vcpu", least * (service.size.cpu - size.cpu) / 1024)
        saved += prices.month(f"{processor}.gb", least * (service.size.memory_mib - size.memory_mib) / 1024)
    return saved


ECONOMIES = (
    Economy(
        "network.endpoint_zones",
        lambda e: 0 < len(e.network.endpoint_zones) < len(e.network.zones),
        _zones_of_endpoints,
        "Tasks in the other zones depend on this one: without it no task starts, reads a secret or asks the model. "
        "Their traffic crosses zones.",
    ),
    Economy(
        "network.nat_zones",
        lambda e: e.has_nat and 0 < len(e.network.nat_zones) < len(e.network.zones),
        _zones_of_nat,
        "Without this zone nothing reaches the internet, nor AWS where `egress` is `nat`.",
    ),
    Economy(
        "database.min_acu",
        lambda e: e.database.min_acu == 0,
        _least_capacity,
        "The database pauses when nobody asks; the first request after that waits 15 seconds and more.",
    ),
    Economy(
        "database.readers",
        lambda e: e.database.readers == 0,
        lambda context: context.prices.month("aurora.acu", context.environment.database.min_acu),
        "Nothing takes over when the writer's zone is lost: RDS makes a new writer, which takes minutes. While awake "
        "the database costs half.",
    ),
    Economy(
        "database.insights",
        lambda e: not e.database.insights,
        lambda context: context.of_full("Database Insights", "Enhanced Monitoring"),
        "Which statement waited for what is known for seven days and not for 15 months, and nothing of the machine.",
    ),
    Economy(
        "memory.nodes",
        lambda e: e.memory.nodes == 1,
        _one_node,
        "What the personas remember is lost with the node's disk, and not there while its zone is not.",
    ),
    Economy(
        "backup.enabled",
        lambda e: not e.backup.enabled,
        lambda context: context.of_full("Backups"),
        "The database's own backups, which go with it, are all there is.",
    ),
    Economy(
        "web.firewall",
        lambda e: not e.web.firewall,
        lambda context: context.of_full("WAF", "WAF, rules", "WAF, requests", "WAF, log"),
        "Known attacks and floods reach the load balancer and the backend, which has limits of its own.",
    ),
    Economy(
        "compute.insights",
        lambda e: not e.compute.insights,
        lambda context: context.of_full("Container Insights"),
        "CPU and memory are known for a service, not for each of its tasks.",
    ),
    Economy(
        "operations.dashboard",
        lambda e: not e.operations.dashboard,
        lambda context: context.of_full("Dashboard"),
        "Graphs of what is known are looked for one by one in the console.",
    ),
    Economy(
        "operations.store_alarms",
        lambda e: not e.operations.store_alarms,
        lambda context: context.of_full("Alarms of the stores"),
        "Nobody is told that a store is short of capacity, connections, disk or heap, or lost a snapshot or its key, "
        "until people get errors or wait.",
    ),
    Economy(
        "compute.*.least",
        lambda e: e.compute.backend.least == 1 or e.compute.ai_core.least == 1,
        _one_task,
        "When the task or its zone is lost nobody is answered until another has started: a minute or so.",
    ),
    Economy(
        "compute.*.cpu",
        lambda e: bool(e.compute.backend.cpu or e.compute.ai_core.cpu),
        _small_tasks,
        "Fewer people at a time, and slower starts.",
    ),
)


def economies_of(context: Context) -> list[tuple[Economy, float]]:
    """The economies of an environment, each with what it saves.

    Raises:
        UnknownWorth: as ``Context.of_full``.
    """
    return [(e, e.saves(context)) for e in ECONOMIES if e.applies(context.environment)]
