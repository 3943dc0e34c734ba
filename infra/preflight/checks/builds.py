"""Whether the pipeline may build."""

from collections.abc import Iterator

from infra.preflight.answers import Answer, bad, good, unknown
from infra.preflight.check import PipelineInquiry
from infra.preflight.checks.quotas import quota, request

ALWAYS = ("Linux/Large", "Linux/Medium", "Linux/Small")
IMAGES = {"ARM64": "ARM/Small", "X86_64": "Linux/Small"}
"""By the processor that images are for."""
NEEDED = 1


def kinds(inquiry: PipelineInquiry) -> list[str]:
    """The platforms and sizes of the pipeline's builds, as CodeBuild's quotas call them."""
    names = {stage.environment for stage in inquiry.pipeline.stages}
    images = {IMAGES[e.compute.architecture] for e in inquiry.environments if e.name in names}
    return sorted({*ALWAYS, *images})


def ask(inquiry: PipelineInquiry) -> Iterator[Answer]:
    """A new account may be allowed none: "Cannot have more than 0 builds in queue"."""
    for kind in kinds(inquiry):
        name = f"Concurrently running builds for {kind} environment"
        granted = quota(inquiry.aws, "codebuild", name)
        if granted is None:
            yield unknown(f"AWS names no quota “{name}”")
        elif granted < NEEDED:
            yield bad(f"“{name}” is {granted:g}", request("codebuild", name, NEEDED))
        else:
            yield good(f"“{name}” is {granted:g}")
