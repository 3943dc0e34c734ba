"""The route of ``/erasures``: what has become of an erasure, for whoever has its id."""

from uuid import UUID

from chassis.problems import Problem, documented
from fastapi import APIRouter

from backend.dependencies import Backend
from backend.erasures import repository
from backend.erasures.schemas import Receipt

router = APIRouter(prefix="/erasures", tags=["users"], generate_unique_id_function=lambda route: route.name)


@router.get("/{erasure_id}", responses=documented(404, 422, 500, 503))
async def read_erasure(parts: Backend, erasure_id: UUID) -> Receipt:
    """How far an erasure is. Nobody can sign in who was erased: the id is all that is needed."""
    found = await repository.find(parts.direct, erasure_id)
    if found is None:
        raise Problem(404, "There is no such erasure.")
    return Receipt(**found)
