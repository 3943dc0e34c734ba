"""The routes of ``/users/me``: take everything out, forget everything."""

from collections.abc import AsyncIterator

from chassis.logs import log
from chassis.problems import Problem, documented
from fastapi import APIRouter, Depends, Response
from fastapi.responses import StreamingResponse

from backend import outbox
from backend.ai_core import Memory, Unavailable
from backend.auth.service import unauthorized
from backend.dependencies import PREFIX, Backend, Me
from backend.erasures import repository as erasures
from backend.erasures.schemas import Receipt
from backend.limits.allowances import take
from backend.users import export, repository
from backend.users.schemas import Export, ExportedAccount

router = APIRouter(prefix="/users/me", tags=["users"], generate_unique_id_function=lambda route: route.name)

_WHERE = {"description": "Where the receipt can be read.", "required": True, "schema": {"type": "string"}}


async def _one_at_a_time(parts: Backend, me: Me) -> AsyncIterator[None]:
    with parts.exporting.one(me.user_id):
        yield  # until all is sent


@router.get(
    "/export",
    response_model=Export,
    dependencies=[Depends(_one_at_a_time)],
    responses=documented(401, 500, 503),
)
async def export_everything(parts: Backend, me: Me) -> Response:
    """Everything Sanctum knows of me, as one JSON document."""
    user = await repository.find(parts.direct, me.user_id)
    if user is None:
        raise unauthorized("The access token is not good.", bad_token=True)
    await take(parts.direct, parts.allowances.exports, me.user_id)
    words = await parts.sealing.of(me.user_id)
    memories = parts.ai_core.memories(me.user_id, await parts.keys.memory_key(me.user_id))
    try:
        first = await anext(memories, None)
    except Unavailable as error:
        headers = {"Retry-After": str(error.retry_after)}
        raise Problem(503, "The memory does not answer.", headers=headers) from error
    account = ExportedAccount(**user)
    return StreamingResponse(
        export.write(parts.direct, words, account, _again(first, memories)),
        media_type="application/json",
        headers={"Content-Disposition": 'attachment; filename="sanctum-export.json"'},
    )


@router.delete(
    "",
    status_code=202,
    responses={202: {"headers": {"Location": _WHERE}}, **documented(401, 500, 503)},
)
async def erase_everything(parts: Backend, me: Me, response: Response) -> Receipt:
    """Forget me: the account, every conversation and every memory. All tokens end at once.

    Answers with a receipt. Once that says so, within 24 hours, nobody can read my words in any backup either.
    """
    async with parts.direct.begin() as connection:
        receipt = await erasures.write_down(connection)
        if not await repository.remove(connection, me.user_id):
            raise unauthorized("The access token is not good.", bad_token=True)
        forgetting = await outbox.add_forgetting(connection, me.user_id, None)
    parts.auth.living.forget()
    parts.keys.forget(me.user_id)
    log("account.erased", user_id=me.user_id)
    await parts.outbox.deliver_soon(forgetting)
    response.headers["Location"] = f"{PREFIX}/erasures/{receipt.erasure_id}"
    return Receipt(**receipt)


async def _again(first: Memory | None, rest: AsyncIterator[Memory]) -> AsyncIterator[Memory]:
    if first is not None:
        yield first
    async for memory in rest:
        yield memory
