"""What the routes of ``/auth`` take and give."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from backend.auth.emails import Email
from backend.auth.guessable import LEAST_LENGTH, not_guessable

Password = Annotated[
    str,
    Field(min_length=LEAST_LENGTH, max_length=1024, json_schema_extra={"format": "password"}),
    AfterValidator(not_guessable),
]
"""NIST SP 800-63B: long ones are welcome, and nothing is demanded of the characters."""


class Registration(BaseModel):
    """A new account."""

    model_config = ConfigDict(extra="forbid")

    email: Email
    password: Password


class Account(BaseModel):
    """An account as it was registered; the e-mail in the spelling that is kept."""

    user_id: UUID
    email: str


class Tokens(BaseModel):
    """RFC 6749, section 5.1. ``expires_in`` is the access token's life in seconds."""

    access_token: str
    refresh_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - the kind of a token
    expires_in: int


class RefreshToken(BaseModel):
    """The refresh token of a sign-in."""

    model_config = ConfigDict(extra="forbid")

    refresh_token: str = Field(max_length=1024)


class PasswordChange(BaseModel):
    """The password until now and the one from now on."""

    model_config = ConfigDict(extra="forbid")

    old_password: str = Field(max_length=1024)
    new_password: Password
