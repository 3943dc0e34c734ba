"""Signing in, renewing and changing the password."""

import time
from dataclasses import dataclass, field, replace
from uuid import uuid4

from chassis.direct import Direct
from chassis.logs import log
from chassis.problems import Problem
from chassis.sealing.cells import PersonKey
from chassis.sealing.key_service import CannotUnwrap

from backend.auth import repository
from backend.auth.credentials import Credentials, Stored, as_written, mac_of
from backend.auth.emails import normalize
from backend.auth.living import Living
from backend.auth.passwords import Passwords
from backend.auth.refresh_tokens import new_token, sign_in_of, stored_form
from backend.auth.schemas import Account, Registration, Tokens
from backend.auth.throttle import Attempt, Throttle, attempt
from backend.auth.tokens import AccessTokens, Caller
from backend.keys.person_keys import NoKeys, PersonKeys
from backend.limits.allowances import Allowances, take

_CHALLENGE = {"WWW-Authenticate": "Bearer"}


def unauthorized(detail: str, *, bad_token: bool = False) -> Problem:
    """A 401 with its challenge (RFC 6750, section 3)."""
    challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'} if bad_token else _CHALLENGE
    return Problem(401, detail, headers=challenge)


@dataclass(frozen=True)
class _Held:
    """A refresh token that somebody has: whose it is, their key, and how it is stored."""

    caller: Caller
    key: PersonKey
    stored: bytes


@dataclass(frozen=True)
class Auth:
    """The rules of accounts and sign-ins."""

    direct: Direct
    keys: PersonKeys
    passwords: Passwords
    throttle: Throttle
    access_tokens: AccessTokens
    allowances: Allowances
    refresh_token_seconds: int
    sign_in_seconds: int
    living: Living = field(default_factory=Living)

    async def register(self, registration: Registration, address: str) -> Account:
        """Make an account.

        Raises:
            Problem: 409 when the e-mail has one; 429 after too many from this address.
        """
        await take(self.direct, self.allowances.registrations, address)
        hashed = await self.passwords.hash(registration.password, address)
        user_id = uuid4()
        new = await self.keys.make(user_id)
        credentials = Credentials(user_id, registration.email, hashed)
        mac = mac_of(await self.keys.unwrap_messages(user_id, new), credentials)
        async with self.direct.begin() as connection:
            if not await repository.add_user(connection, credentials, mac):
                raise Problem(409, "This e-mail has an account already.")
            await self.keys.create(connection, user_id, new)
        log("account.registered", user_id=user_id)
        return Account(user_id=user_id, email=registration.email)

    async def sign_in(self, email: str, password: str, address: str) -> Tokens:
        """Begin a sign-in.

        Raises:
            Problem: 401 for a wrong password and an unknown e-mail alike; 429 after too many failures or sign-ins.
        """
        try:
            email = normalize(email)
        except ValueError:
            email = ""  # no account has it: answered like every other unknown one
        tried = attempt(email, address)
        async with self.direct.begin() as connection:
            await self.throttle.check(connection, tried)
            user = await repository.find_user(connection, email)
        found = user.credentials if user else None
        right = await self._right(password, user, tried)
        if found is None or not right:
            log("sign_in.failed", "warning", user_id=found and found.user_id)
            raise unauthorized("The e-mail or the password is wrong.")
        await take(self.direct, self.allowances.sign_ins, found.user_id)
        caller = Caller(found.user_id, uuid4())
        refresh_token = new_token(caller.sign_in_id)
        stored = stored_form(await self.keys.messages(caller.user_id), refresh_token)
        async with self.direct.begin() as connection:
            await self.throttle.succeeded(connection, tried)
            begun = await repository.add_sign_in(
                connection, caller, found.hashed_password, stored, self.refresh_token_seconds
            )
        if not begun:
            raise unauthorized("The e-mail or the password is wrong.")
        log("sign_in.begun", user_id=caller.user_id)
        return self._tokens(caller, refresh_token)

    async def refresh(self, refresh_token: str) -> Tokens:
        """Renew a sign-in; the refresh token is used up.

        Raises:
            Problem: 401 for one that is unknown, expired or used before, which ends the sign-in; 429 after too many,
                and then this one is not used up.
        """
        held = await self._held(refresh_token)
        if held:
            await take(self.direct, self.allowances.refreshes, held.caller.user_id)
            successor = new_token(held.caller.sign_in_id)
            stored = stored_form(held.key, successor)
            async with self.direct.begin() as connection:
                renewed = await repository.rotate(
                    connection,
                    held.caller,
                    held.stored,
                    stored,
                    seconds=self.refresh_token_seconds,
                    seconds_in_all=self.sign_in_seconds,
                )
            if renewed:
                log("sign_in.renewed", user_id=held.caller.user_id)
                return self._tokens(held.caller, successor)
        self.living.forget()
        log("sign_in.not_renewed", "warning", user_id=held and held.caller.user_id)
        raise unauthorized("The refresh token is not good.", bad_token=True)

    async def sign_out(self, refresh_token: str) -> None:
        """End the sign-in of a refresh token; an unknown one has ended already."""
        held = await self._held(refresh_token)
        if held is None:
            return
        async with self.direct.begin() as connection:
            ended = await repository.end_sign_in(connection, held.caller)
        if ended:
            self.living.forget()
            log("sign_in.ended", user_id=held.caller.user_id)

    async def _held(self, refresh_token: str) -> _Held | None:
        """Whose a refresh token is or was; nobody's where we have not issued it."""
        sign_in_id = sign_in_of(refresh_token)
        owner = await repository.owner(self.direct, sign_in_id) if sign_in_id else None
        if sign_in_id is None or owner is None:
            return None
        key = await self.keys.messages(owner)
        held = _Held(Caller(owner, sign_in_id), key, stored_form(key, refresh_token))
        return held if await repository.knows(self.direct, sign_in_id, held.stored) else None

    async def change_password(self, caller: Caller, old: str, new: str, address: str) -> None:
        """Replace the caller's password and end all their other sign-ins.

        Raises:
            Problem: 401 when ``old`` is wrong; 429 after too many failures or changes.
        """
        async with self.direct.begin() as connection:
            user = await repository.read_user(connection, caller.user_id)
            if user is None:
                raise unauthorized("The access token is not good.", bad_token=True)
            tried = attempt(user.credentials.email, address)
            await self.throttle.check(connection, tried)
        if not await self._right(old, user, tried):
            log("account.password_not_changed", "warning", user_id=caller.user_id)
            raise unauthorized("The old password is wrong.")
        await take(self.direct, self.allowances.sign_ins, caller.user_id)
        verified = user.credentials
        changed = replace(verified, hashed_password=await self.passwords.hash(new, tried.address), rev=verified.rev + 1)
        mac = mac_of(await self.keys.messages(caller.user_id), changed)
        async with self.direct.begin() as connection:
            await self.throttle.succeeded(connection, tried)
            if not await repository.change_password(connection, caller, verified, changed, mac):
                raise unauthorized("The old password is wrong.")
        self.living.forget()
        log("account.password_changed", user_id=caller.user_id)

    async def check_lives(self, caller: Caller) -> None:
        """Return when the sign-in of an access token still lives.

        Raises:
            Problem: 401 when it does not.
        """
        if self.living.knows(caller.sign_in_id):
            return
        asked = time.monotonic()
        if not await repository.lives(self.direct, caller):
            raise unauthorized("The access token is not good.", bad_token=True)
        self.living.lived(caller.sign_in_id, asked)

    async def _right(self, password: str, user: Stored | None, tried: Attempt) -> bool:
        hashed = user.credentials.hashed_password if user else None
        # The MAC comes after the password: what it costs is seen only by who knows that.
        if await self.passwords.verify(password, hashed, tried.address) and user and await self._as_written(user):
            return True
        async with self.direct.begin() as connection:
            await self.throttle.failed(connection, tried)
        return False

    async def _as_written(self, user: Stored) -> bool:
        user_id = user.credentials.user_id
        try:
            if as_written(await self.keys.messages(user_id), user):
                return True
        except (NoKeys, CannotUnwrap):
            pass
        log("credentials.changed_outside", "error", user_id=user_id)
        return False

    def _tokens(self, caller: Caller, refresh_token: str) -> Tokens:
        return Tokens(
            access_token=self.access_tokens.issue(caller),
            refresh_token=refresh_token,
            expires_in=self.access_tokens.seconds,
        )
