"""The routes of ``/auth``."""

from typing import Annotated

from chassis.problems import documented
from chassis.requests import takes
from fastapi import APIRouter, Depends
from fastapi.security import OAuth2PasswordRequestForm

from backend.auth.schemas import Account, PasswordChange, RefreshToken, Registration, Tokens
from backend.dependencies import Address, Backend, Me

router = APIRouter(prefix="/auth", tags=["auth"], generate_unique_id_function=lambda route: route.name)

_JSON = [Depends(takes("application/json"))]
_FORM = [Depends(takes("application/x-www-form-urlencoded"))]


@router.post("/register", status_code=201, dependencies=_JSON, responses=documented(409, 413, 415, 422, 500, 503))
async def register(parts: Backend, address: Address, registration: Registration) -> Account:
    """Create an account. 409 tells that the e-mail has one already."""
    return await parts.auth.register(registration, address)


@router.post("/token", dependencies=_FORM, responses=documented(401, 413, 415, 422, 500, 503))
async def sign_in(parts: Backend, address: Address, form: Annotated[OAuth2PasswordRequestForm, Depends()]) -> Tokens:
    """Sign in with the OAuth2 password form. A wrong password and an unknown e-mail answer alike."""
    return await parts.auth.sign_in(form.username, form.password, address)


@router.post("/refresh", dependencies=_JSON, responses=documented(401, 413, 415, 422, 500, 503))
async def refresh(parts: Backend, body: RefreshToken) -> Tokens:
    """Renew a sign-in. Each refresh token works once; using one again ends its sign-in."""
    return await parts.auth.refresh(body.refresh_token)


@router.post("/logout", status_code=204, dependencies=_JSON, responses=documented(413, 415, 422, 500, 503))
async def logout(parts: Backend, body: RefreshToken) -> None:
    """End the sign-in of a refresh token; an unknown one has ended already."""
    await parts.auth.sign_out(body.refresh_token)


@router.post("/password", status_code=204, dependencies=_JSON, responses=documented(401, 413, 415, 422, 500, 503))
async def change_password(parts: Backend, me: Me, address: Address, body: PasswordChange) -> None:
    """Change the password and end all other sign-ins. A wrong old password answers 401."""
    await parts.auth.change_password(me, body.old_password, body.new_password, address)
