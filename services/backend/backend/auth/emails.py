"""E-mail addresses in the one spelling by which an account is found."""

from typing import Annotated

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, Field


def normalize(email: str) -> str:
    """``email`` in lower case, Unicode-normalized, its domain decoded from IDNA; nothing is looked up.

    Raises:
        ValueError: it is no e-mail address.
    """
    try:
        checked = validate_email(email, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        # The library's reason quotes parts of the address.
        raise ValueError("is not an e-mail address") from None
    return checked.normalized.lower()


Email = Annotated[str, AfterValidator(normalize), Field(json_schema_extra={"format": "email"})]
