"""The image of a service, built by the deployment and named after its content."""

from typing import Literal

from aws_cdk import aws_ecr_assets as assets
from constructs import Construct

from infra.services import ROOT, Service

_PLATFORMS = {"ARM64": assets.Platform.LINUX_ARM64, "X86_64": assets.Platform.LINUX_AMD64}


def service_image(
    scope: Construct, service: Service, *, architecture: Literal["ARM64", "X86_64"]
) -> assets.DockerImageAsset:
    """``services/<name>/Dockerfile`` with ``services/`` as its context, less the other services.

    Its tag is a hash of the context and the architecture: environments that agree on these share one image, which is
    built once, and a change of another service builds nothing.
    https://docs.aws.amazon.com/cdk/v2/guide/assets.html
    """
    others = [p.parent.name for p in ROOT.glob("*/service.toml") if p.parent.name != service.name]
    return assets.DockerImageAsset(
        scope,
        "Image",
        display_name=service.name,
        directory=str(ROOT),
        file=f"{service.name}/Dockerfile",
        exclude=sorted(others),
        platform=_PLATFORMS[architecture],
    )
