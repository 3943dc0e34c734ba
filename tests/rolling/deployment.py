"""A rolling update as ECS does it: 100 % healthy at the least, 200 % at the most.

An old instance goes when the new one is healthy. ECS deregisters it and sends SIGTERM when the load balancer reports
that it is out; a load balancer is not one machine though, and some of it may send on for a while after either
(https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/2366: up to 17 s). So both orders are tried.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum

from tests.rolling.instance import Instance
from tests.support.load_balancer import LoadBalancer


class Order(Enum):
    """Who hears first that an instance is to go."""

    BALANCER_FIRST = "deregistered, SIGTERM when nothing is under way any more"
    INSTANCE_FIRST = "SIGTERM, deregistered when the time in which something new may come is nearly over"


LATE = 0.75
"""Of that time, how much is over when an instance that was told first is deregistered."""


@dataclass
class Deployment:
    """The instances of one service and the load balancer before them.

    All grace periods are those of ``service.toml`` times ``scale``.
    """

    balancer: LoadBalancer
    scale: float
    make: Callable[[], Instance]
    """A new instance, not started."""
    running: list[Instance] = field(default_factory=list[Instance])
    ended: list[Instance] = field(default_factory=list[Instance])

    async def start(self) -> Instance:
        """One more instance; returns when it gets requests.

        Raises:
            RuntimeError: it ended, or is not healthy in time.
        """
        instance = self.make()
        process = instance.start()
        self.running.append(instance)
        self.balancer.register(instance.name, instance.port)
        health = instance.service.health
        end = time.monotonic() + health.start_seconds + health.healthy_count * health.interval_seconds
        while not self.balancer.is_healthy(instance.name):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{instance.name} does not come up:\n{instance.log.read_text()}")
            await asyncio.sleep(0.05)
        return instance

    async def replace_all(self, before_each_end: Callable[[Instance], Awaitable[None]]) -> None:
        """A new instance for every one there is, one after the other and in both orders.

        Args:
            before_each_end: Called with each old instance before anybody hears that it is to go.
        """
        for number, old in enumerate(tuple(self.running)):
            await self.start()
            await before_each_end(old)
            await self._end(old, tuple(Order)[number % len(Order)])

    async def _end(self, instance: Instance, order: Order) -> None:
        if order is Order.BALANCER_FIRST:
            instance.nothing_new_at = time.time() * 1000
            await self._drain(instance)
            instance.terminate()
            await self._exit(instance)
        else:
            serves_seconds = instance.service.grace.deregistration_seconds * self.scale
            instance.nothing_new_at = (time.time() + serves_seconds) * 1000
            instance.terminate()
            await asyncio.sleep(serves_seconds * LATE)
            await asyncio.gather(self._drain(instance), self._exit(instance))
        self.running.remove(instance)
        self.ended.append(instance)

    async def _drain(self, instance: Instance) -> None:
        """Send nothing new, let run what runs, and break off what runs too long."""
        self.balancer.deregister(instance.name)
        end = time.monotonic() + instance.service.grace.in_flight_seconds * self.scale
        while self.balancer.requests_open(instance.name) and time.monotonic() < end:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.05)
        self.balancer.cut_off(instance.name)

    async def _exit(self, instance: Instance) -> None:
        assert instance.process
        end = time.monotonic() + instance.service.grace.stop_seconds * self.scale
        while instance.process.poll() is None:
            if time.monotonic() > end:
                instance.process.kill()
            await asyncio.sleep(0.05)

    def kill(self) -> None:
        """End whatever runs, at once."""
        for instance in self.running:
            if instance.process:
                instance.process.kill()
                instance.process.wait()
