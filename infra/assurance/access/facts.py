"""Who may do what: the facts of access, computed from every policy of an assembly."""

from typing import Final

from infra.assurance.access.accounts import named
from infra.assurance.access.acting import acting
from infra.assurance.access.actors import actors
from infra.assurance.access.apis import Apis, called
from infra.assurance.access.attachments import Attachments
from infra.assurance.access.broad import broad
from infra.assurance.access.closure import inherited
from infra.assurance.access.databases import connections, databases, questioned
from infra.assurance.access.deputies import deputies
from infra.assurance.access.desk import Desk
from infra.assurance.access.endpoints import Endpoints, reached
from infra.assurance.access.gates import let_through
from infra.assurance.access.keys import Keys
from infra.assurance.access.roles import assumed, passed, roles
from infra.assurance.access.secrets import Secrets, changed, handed_over, opened
from infra.assurance.access.shared import shared
from infra.assurance.access.signing import signing
from infra.assurance.access.stores import Stores, read
from infra.assurance.access.unread import refuse_unread
from infra.assurance.access.uses import uses
from infra.assurance.facts import Fact, distinct
from infra.assurance.model.model import Model

__all__: Final = ["access", "broad", "signing"]


def access(model: Model) -> list[Fact]:
    """Every fact of access of one model; what cannot be read is refused by name, the rest goes on."""
    refuse_unread(model)
    attachments, keys, trusted, apis = Attachments.of_model(model), Keys(model), roles(model), Apis(model)
    endpoints = Endpoints(model)
    secrets, stores, found = Secrets(model, keys), Stores(model, keys), databases(model)
    handed = list(handed_over(model, secrets))
    doors = [*keys.made, *trusted, *apis.doors, *endpoints.doors, *(each.door for each in (*secrets.all, *stores.all))]
    desk = Desk(actors(model, attachments, doors))
    direct = [
        *opened(desk, secrets.all),
        *changed(desk, secrets.all),
        *handed,
        *uses(desk, keys),
        *connections(desk, found),
        *questioned(desk, model),
        *called(desk, apis),
        *reached(desk, endpoints),
        *assumed(desk, model, trusted),
        *passed(desk, trusted),
        *read(desk, stores),
    ]
    beside = [*shared(model), *named(model), *let_through(model), *acting(model), *deputies(doors)]
    return distinct([*beside, *direct, *inherited(direct, {role.name: role.account for role in trusted})])
