"""Whatever is remembered in another form than the AI core writes now is renewed, whichever number that form has."""

import asyncio
from collections.abc import Iterator

import pytest
from backend.ai_core import AiCore, Unavailable
from backend.keys.epochs import epoch_keys
from backend.keys.person_keys import PersonKeys
from backend.renew_memories import renew
from chassis.direct import Direct
from chassis.sealing.key_service import key_service

from tests.backend.ai_core_stand_in import AiCoreStandIn
from tests.backend.process import Backend
from tests.support.person import Person


@pytest.fixture
def writing(ai_core: AiCoreStandIn) -> Iterator[AiCoreStandIn]:
    """The stand-in, which writes in its usual form in the end."""
    usual = ai_core.format
    yield ai_core
    ai_core.format = usual


def renewed(backend: Backend) -> int:
    """How many people a round renews."""

    async def run() -> int:
        settings = backend.read_settings()
        direct, client = Direct(settings, size=2), AiCore(settings)
        await direct.open()
        keys = PersonKeys(direct, key_service(settings.key_service), epoch_keys(settings.epoch_keys))
        try:
            return await renew(direct, keys, client)
        finally:
            await client.close()
            await direct.close()

    return asyncio.run(run())


def form_of(person: Person, backend: Backend) -> int:
    return int(backend.sql("SELECT memory_format FROM users WHERE email = :'it'", it=person.email))


def test_everybody_is_renewed_once_for_each_form(carol: Person, own_backend: Backend, writing: AiCoreStandIn) -> None:
    user_id = own_backend.sql("SELECT user_id FROM users WHERE email = :'it'", it=carol.email)
    for times, form in enumerate((2, 3, 2), 1):  # also back again: a smaller number is another form, not an older one
        writing.format = form
        assert renewed(own_backend) == 1
        assert writing.renewals.count(user_id) == times  # among others', which another process may renew meanwhile
        assert form_of(carol, own_backend) == writing.memory(user_id).format == form
        assert renewed(own_backend) == 0


def test_while_the_ai_core_is_away_nobody_counts_as_renewed(
    carol: Person, own_backend: Backend, writing: AiCoreStandIn
) -> None:
    before = form_of(carol, own_backend)
    writing.format, writing.memory_away = before + 1, True
    with pytest.raises(Unavailable):
        renewed(own_backend)
    assert form_of(carol, own_backend) == before
