"""Where a claim is judged: an environment of the assembly, or all that belongs to none."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from infra.assurance.model.model import Model

OUTSIDE: Final = ""
"""The name of the place for what belongs to no environment."""

_HOME: Final = re.compile(r"(^|(?<= ))~/")


@dataclass(frozen=True, slots=True)
class Place:
    """An environment: its name in the claims, the path of its stage, and where it is deployed."""

    name: str
    path: str
    account: str = "unknown-account"
    region: str = "unknown-region"

    def filled(self, pattern: str) -> str:
        """A pattern of a claim with `~/`, `{account}` and `{region}` replaced by what they stand for here."""
        if self.name != OUTSIDE:
            pattern = _HOME.sub(f"{self.path}/", pattern)
        return pattern.replace("{account}", self.account).replace("{region}", self.region)

    def shortened(self, value: str) -> str:
        """A value of a fact as a claim writes it, so that environments can be read side by side."""
        if self.name == OUTSIDE:
            return value
        return re.sub(rf"(^|(?<= )){re.escape(self.path)}/", "~/", value).replace(self.account, "{account}")


def names_home(pattern: str) -> bool:
    """Whether a pattern names something of the environment that it is judged in."""
    return bool(_HOME.search(pattern))


def places_of(model: Model, environments: Mapping[str, str]) -> list[Place]:
    """The places of an assembly: those of the environments that it holds, and the one outside if anything is there.

    An environment's account and region are those of its first stack. Claims without environments are about what is
    outside, even if that is nothing.
    """
    found: dict[str, Place] = {}
    for stack, scope in model.scopes.items():
        for resource in scope.resources.values():
            home = _home(stack.stage, resource.name, environments)
            if home not in found:
                found[home] = Place(home, environments.get(home, ""), stack.account, stack.region)
    if not environments:
        found.setdefault(OUTSIDE, Place(OUTSIDE, ""))
    return [found[name] for name in (*environments, OUTSIDE) if name in found]


def _home(stage: str, name: str, environments: Mapping[str, str]) -> str:
    homes = (home for home, path in environments.items() if stage == path or name.startswith(f"{path}/"))
    return next(homes, OUTSIDE)
