"""The routes of ``/users/me/memories``: what Sanctum remembers of a person, and one thing of it taken away."""

from uuid import UUID

from chassis.problems import Problem, documented
from fastapi import APIRouter

from backend.ai_core import BadCursor, Memory, Unavailable
from backend.dependencies import Backend, Me
from backend.pages import DEFAULT_LIMIT, Cursor, Limit, Page, bad_cursor

router = APIRouter(prefix="/users/me/memories", tags=["memories"], generate_unique_id_function=lambda route: route.name)


@router.get("", responses=documented(401, 422, 500, 503))
async def list_memories(parts: Backend, me: Me, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Page[Memory]:
    """What Sanctum remembers of me, oldest first: passages of what I and the personas said."""
    memory_key = await parts.keys.memory_key(me.user_id)
    try:
        page = await parts.ai_core.memories_page(me.user_id, limit, cursor, memory_key)
    except BadCursor:
        raise bad_cursor() from None
    except Unavailable as error:
        raise _away(error) from error
    return Page(items=page.items, next=page.next)


@router.delete("/{memory_id}", status_code=204, responses=documented(401, 404, 422, 500, 503))
async def forget_memory(parts: Backend, me: Me, memory_id: UUID) -> None:
    """Have Sanctum forget one thing, for good. What was said stays in its conversation."""
    try:
        known = await parts.ai_core.forget_memory(me.user_id, memory_id)
    except Unavailable as error:
        raise _away(error) from error
    if not known:
        raise Problem(404, "Nothing with this id is remembered of you.")


def _away(error: Unavailable) -> Problem:
    return Problem(503, "The memory does not answer.", headers={"Retry-After": str(error.retry_after)})
