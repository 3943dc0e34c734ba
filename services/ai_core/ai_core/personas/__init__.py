"""Who the person talks with. A persona is a file of this folder; its name is the API's."""

import tomllib
from importlib.resources import files
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


class Persona(BaseModel):
    """Somebody to talk with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    prompt: str
    """What the language model is told to be."""


PERSONAS = {
    persona.name: persona
    for file in files(__name__).iterdir()
    if file.name.endswith(".toml")
    for persona in [Persona.model_validate(tomllib.loads(file.read_text()))]
}


def _known(name: str) -> str:
    if name not in PERSONAS:
        raise ValueError(f"must be one of {', '.join(sorted(PERSONAS))}")
    return name


PersonaName = Annotated[str, AfterValidator(_known), Field(json_schema_extra={"enum": [*sorted(PERSONAS)]})]
"""The name of a persona there is."""
