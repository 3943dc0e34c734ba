"""How large the tasks of an environment are, and whether its account may run them. Imports no CDK."""

from collections.abc import Iterable, Mapping

from infra.services import Service, Size
from infra.setting_tables import Tasks
from infra.settings import Environment, InvalidSettings


def tasks_of(environment: Environment, service: Service) -> Tasks:
    """How many tasks of ``service`` run."""
    return getattr(environment.compute, service.name)


def size_of(environment: Environment, service: Service) -> Size:
    """The size of each: the environment's where it names one, else the one in ``service.toml``."""
    tasks = tasks_of(environment, service)
    if tasks.cpu and tasks.memory_mib:
        return Size(cpu=tasks.cpu, memory_mib=tasks.memory_mib)
    return service.size


def needed_vcpus(environment: Environment, services: Mapping[str, Service]) -> float:
    """vCPUs on Fargate when all runs at its most and every task is being replaced, and a one-off task runs too."""
    sizes = {name: size_of(environment, service).cpu / 1024 for name, service in services.items()}
    most = sum(cpu * tasks_of(environment, services[name]).most for name, cpu in sizes.items())
    return 2 * most + max(sizes.values())


def check_quota(environments: Iterable[Environment], services: Mapping[str, Service]) -> None:
    """Refuse environments that their account's quota would stop in the middle of a deployment.

    Raises:
        InvalidSettings: names each of them, what it needs and what it has.
    """
    wrong = [
        f"{environment.name}: account.fargate_vcpus = {quota} does not do for a deployment at full size, which takes "
        f"{needed:g}: ask AWS for more (quota L-3032A538) and write it down, or lower compute.*.most"
        for environment in environments
        if (needed := needed_vcpus(environment, services)) > (quota := environment.account.fargate_vcpus)
    ]
    if wrong:
        raise InvalidSettings("\n".join(wrong))
