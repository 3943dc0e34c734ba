"""What a deployment would run: the images, built from the cloud assembly, its task definitions, and AWS beside them."""

import shutil
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.images import engine
from tests.infra.template import Json, Template

SERVICES = ("backend", "ai_core")


def build_images(assembly: Path, folder: Path) -> dict[str, str]:
    """The image of each service, by its name; their build contexts are copied to ``folder``."""
    built: dict[str, str] = {}
    for staged in assembly.glob("asset.*/.dockerignore"):
        (service,) = (name for name in SERVICES if (staged.parent / name / "Dockerfile").exists())
        context = folder / service
        shutil.copytree(staged.parent, context)
        for path in context.rglob("*"):
            path.chmod(0o700 if path.is_dir() else 0o600)  # as a careful person's checkout has it
        built[service] = engine.build(context, service)
    return built


def definitions_of(templates: Mapping[tuple[str, str], Template]) -> dict[str, Json]:
    """Every task definition by its family."""
    return {
        definition["Family"]: definition
        for (_, stack), template in templates.items()
        if stack == "Compute"
        for definition in template.properties("AWS::ECS::TaskDefinition")
    }


@contextmanager
def aws_beside(images: Mapping[str, str], definitions: Mapping[str, Json]) -> Generator[str]:
    """AWS for the tasks in containers beside it, its container; the task that makes the signing keys has run."""
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
