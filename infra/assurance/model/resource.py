"""A resource of a template, with what it says in resolved form."""

import json
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, cast

from infra.assurance.model import identity
from infra.assurance.model.assembly import Stack
from infra.assurance.model.files import Json, table
from infra.assurance.model.intrinsics import NO_VALUE, resolve
from infra.assurance.refusal import Refused

if TYPE_CHECKING:
    from infra.assurance.model.scope import Scope


class Resource:
    """One resource; two are equal only if they are the same one."""

    def __init__(self, scope: "Scope", logical_id: str, body: Mapping[str, Json]) -> None:
        self.scope = scope
        self.logical_id = logical_id
        self.body = body
        self.stack: Stack = scope.stack
        """The stack it is part of."""
        self.type: str = body["Type"]
        """CloudFormation's name of its type."""
        self._values: dict[str, Json] = {}

    @cached_property
    def name(self) -> str:
        """What claims and messages call it: the construct path, or type and logical id where there is none.

        `/Resource`, which the CDK puts behind a construct's main resource, is left out. Names are told apart: two
        resources that would be called alike have logical id and template behind their names.
        """
        own = self.plain_name
        if not self.scope.model.is_shared(own):
            return own
        return f"{own} ({self.logical_id} of {self.stack.stage and self.stack.stage + '/'}{self.stack.name})"

    @cached_property
    def plain_name(self) -> str:
        """Its name, if no other resource were called so."""
        path = self.stack.paths.get(self.logical_id)
        return path.removesuffix("/Resource") if path else f"{self.type} {self.logical_id}"

    @cached_property
    def written(self) -> str:
        """Its properties as the template has them, functions and all, as JSON: to see whether it may say something."""
        return json.dumps(self.body.get("Properties", {}))

    @cached_property
    def properties(self) -> Mapping[str, Json]:
        """Its properties, resolved.

        Raises:
            Refused: one of them cannot be resolved.
        """
        return {key: value for key in self._given if (value := self.value(key)) is not None}

    def value(self, key: str) -> Json:
        """One property, resolved by itself; None if it is not there.

        A name is resolved so: what names it may stand in other properties of the same resource.

        Raises:
            Refused: it cannot be resolved.
        """
        if key not in self._values:
            given = self._given
            resolved = resolve(given[key], self.scope, self.name) if key in given else None
            self._values[key] = None if resolved is NO_VALUE else resolved
        return self._values[key]

    def text(self, key: str) -> str | None:
        """A property that is one text, as ids and names are; None if it is not there.

        Raises:
            Refused: it cannot be resolved, or is something else.
        """
        value = self.value(key)
        if value is not None and not isinstance(value, str):
            raise self.refuse(f"has a {key} that is no text")
        return value

    def part(self, key: str, name: str) -> Json:
        """One entry of a property that is a table, resolved by itself; None if it is not there.

        Raises:
            Refused: it cannot be resolved.
        """
        entries = table(self._given.get(key, {}), key, where=self.name, template=self.stack.where)
        if any(entry.startswith("Fn::") for entry in entries):
            whole = self.value(key)
            entries = table({} if whole is None else whole, key, where=self.name, template=self.stack.where)
        given = entries.get(name)
        resolved = None if given is None else resolve(given, self.scope, self.name)
        return None if resolved is NO_VALUE else resolved

    @cached_property
    def _given(self) -> Mapping[str, Json]:
        """The properties as written; all at once behind a function, which is computed first."""
        given = cast("dict[str, Json]", self.body.get("Properties", {}))
        if any(key.startswith("Fn::") for key in given):
            resolved = resolve(given, self.scope, self.name)
            return table(
                None if resolved is NO_VALUE else resolved, "Properties", where=self.name, template=self.stack.where
            )
        return given

    @cached_property
    def ref(self) -> str:
        """What `Ref` of it gives."""
        return identity.ref(self)

    @cached_property
    def arn(self) -> str:
        """Its ARN."""
        return identity.arn(self)

    def refuse(self, what: str) -> Refused:
        """A refusal that names this resource, to be raised."""
        return Refused(what, where=self.name, template=self.stack.where)
