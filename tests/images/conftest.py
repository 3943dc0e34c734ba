"""The images of the deployment and its task definitions, once a run."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.images.deployment import aws_beside, build_images, definitions_of
from tests.infra.conftest import assembly, elsewhere, templates
from tests.infra.template import Json, Template

__all__ = ["assembly", "elsewhere", "templates"]


@pytest.fixture(scope="session")
def images(assembly: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The image of each service, by its name."""
    return build_images(assembly, tmp_path_factory.mktemp("contexts"))


@pytest.fixture(scope="session")
def definitions(templates: dict[tuple[str, str], Template]) -> dict[str, Json]:
    """Every task definition by its family."""
    return definitions_of(templates)


@pytest.fixture(scope="session")
def aws(images: dict[str, str], definitions: dict[str, Json]) -> Iterator[str]:
    """AWS for the tasks in containers beside it; the task that makes the signing keys has run."""
    with aws_beside(images, definitions) as container:
        yield container
