"""The image of a service, built by the deployment and named after its content."""

from aws_cdk import aws_ecr_assets as assets
from constructs import Construct

from infra.services import ROOT, Service
from infra.settings import Environment

_PLATFORMS = {"ARM64": assets.Platform.LINUX_ARM64, "X86_64": assets.Platform.LINUX_AMD64}


def service_image(scope: Construct, service: Service, *, environment: Environment) -> assets.DockerImageAsset:
    """``services/<name>/Dockerfile`` with ``services/`` as its context, less the other services."""
    others = [p.parent.name for p in ROOT.glob("*/service.toml") if p.parent.name != service.name]
    return assets.DockerImageAsset(
        scope,
        "Image",
        directory=str(ROOT),
        file=f"{service.name}/Dockerfile",
        exclude=sorted(others),
        platform=_PLATFORMS[environment.compute.architecture],
    )
