"""Where a claim is judged: an environment of the assembly, or all that belongs to none."""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Final, NamedTuple

from infra.assurance.claims.claim import NO_NAMES, Claims
from infra.assurance.model.assembly import Stack
from infra.assurance.model.model import Model
from infra.assurance.refusal import Refused

OUTSIDE: Final = ""
"""The name of the place for what belongs to no environment."""

_HOME: Final = re.compile(r"(^|(?<= ))~/")
_NAMED: Final = re.compile(r"\{([\w.-]+)\}")
_DEPTH: Final = 2
"""A name of the claims may stand for a text with `{account}` in it."""


class Place(NamedTuple):
    """An environment: its name in the claims, the path of its stage, and what `{…}` in claims stands for there.

    `lacks` are the stacks that the claims say may be apart, and that are not in the assembly.
    """

    name: str
    path: str
    values: Mapping[str, str] = NO_NAMES
    lacks: tuple[str, ...] = ()

    def filled(self, pattern: str) -> str:
        """A pattern of a claim with `~/` and `{…}` replaced by what they stand for here.

        Raises:
            Refused: a name stands for nothing.
        """
        for _ in range(_DEPTH):
            if "{" in pattern:
                pattern = _NAMED.sub(self._meant, pattern)
        if "~/" not in pattern or self.name == OUTSIDE:
            return pattern
        return _HOME.sub(f"{self.path}/", pattern)

    def _meant(self, named: re.Match[str]) -> str:
        if named[1] not in self.values:
            where = f"environment {self.name}" if self.name else "claims of no environment"
            raise Refused(f"{named[0]} stands for nothing; there are {', '.join(sorted(self.values))}", where=where)
        return self.values[named[1]]

    def shortened(self, value: str) -> str:
        """A value of a fact as a claim writes it, so that environments can be read side by side."""
        if self.name == OUTSIDE:
            return value
        value = re.sub(rf"(^|(?<= )){re.escape(self.path)}/", "~/", value)
        return value.replace(self.values["account"], "{account}") if "account" in self.values else value


def names_home(pattern: str) -> bool:
    """Whether a pattern names something of the environment that it is judged in, or its account."""
    return bool(_HOME.search(pattern)) or "{account}" in pattern


def places_of(model: Model, claims: Claims) -> list[Place]:
    """The places of an assembly: those of the environments that it holds, and the one outside if anything is there.

    Besides the names of the claims there are `{environment}`, its `{account}` and `{region}`, which are those of its
    first stack, and `{X.account}` and `{X.region}` of the environment X, or of the stack outside whose path is X.
    Claims without environments are about what is outside, even if that is nothing.
    """
    homes: dict[str, Stack] = {}
    for stack, scope in model.scopes.items():
        for resource in scope.resources.values():
            homes.setdefault(_home(stack.stage, resource.name, claims.environments), stack)
    outside = {stack.path: stack for stack in model.scopes if not stack.stage}
    values = {
        f"{name}.{key}": value
        for name, stack in {**outside, **homes}.items()
        if name != OUTSIDE
        for key, value in (("account", stack.account), ("region", stack.region))
    }
    paths = {**claims.environments, OUTSIDE: ""}
    places = [
        Place(name, path, {**values, **_own(name, homes), **claims.names})
        for name, path in paths.items()
        if name in homes or not claims.environments
    ]
    paths_of_stacks = {stack.path for stack in model.scopes}
    return [place._replace(lacks=_lacking(place, claims.apart, paths_of_stacks)) for place in places]


def _lacking(place: Place, apart: Iterable[str], there: Collection[str]) -> tuple[str, ...]:
    if place.name == OUTSIDE:
        return ()
    return tuple(stack for stack in map(place.filled, apart) if stack not in there)


def _own(name: str, homes: Mapping[str, Stack]) -> Mapping[str, str]:
    if name == OUTSIDE:
        return {}
    return {"environment": name, "account": homes[name].account, "region": homes[name].region}


def _home(stage: str, name: str, environments: Mapping[str, str]) -> str:
    homes = (home for home, path in environments.items() if stage == path or name.startswith(f"{path}/"))
    return next(homes, OUTSIDE)
