"""The images of the deployment, built from the cloud assembly, and its task definitions."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.images import engine
from tests.infra.conftest import assembly, templates
from tests.infra.template import Json, Template

__all__ = ["assembly", "templates"]

SERVICES = ("backend", "ai_core")


@pytest.fixture(scope="session")
def images(assembly: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The image of each service, by its name."""
    built: dict[str, str] = {}
    for staged in assembly.glob("asset.*/.dockerignore"):
        (service,) = (name for name in SERVICES if (staged.parent / name / "Dockerfile").exists())
        context = tmp_path_factory.mktemp("context") / service
        shutil.copytree(staged.parent, context)
        for path in context.rglob("*"):
            path.chmod(0o700 if path.is_dir() else 0o600)  # as a careful person's checkout has it
        built[service] = engine.build(context, service)
    return built


@pytest.fixture(scope="session")
def definitions(templates: dict[tuple[str, str], Template]) -> dict[str, Json]:
    """Every task definition by its family."""
    return {
        definition["Family"]: definition
        for (_, stack), template in templates.items()
        if stack == "Compute"
        for definition in template.properties("AWS::ECS::TaskDefinition")
    }


@pytest.fixture(scope="session")
def aws(images: dict[str, str], definitions: dict[str, Json]) -> Iterator[str]:
    """AWS for the tasks in containers beside it; the task that makes the signing keys has run."""
    program = Path(__file__).with_name("aws.py")
    with engine.running(
        f"--publish=127.0.0.1::{engine.PORT}",
        f"--volume={program}:/aws.py:ro",
        "--entrypoint=python",
        images["backend"],
        "/aws.py",
        str(engine.AWS_PORT),
    ) as container:
        engine.run_task(images["backend"], definitions["sanctum-prod-backend-rotate-keys"], container)
        yield container
