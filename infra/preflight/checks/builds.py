"""Whether the pipeline may build."""

from collections.abc import Iterator

from infra.preflight.answers import Answer, bad, good, unknown
from infra.preflight.check import PipelineInquiry
from infra.preflight.checks.quotas import quota, request

AT_ONCE = {"Linux/Large": 5, "Linux/Medium": 1, "Linux/Small": 1}
"""How many the pipeline runs at the same time; where fewer may run, the others wait."""
IMAGES = {"ARM64": "ARM/Small", "X86_64": "Linux/Small"}
"""By the processor that images are for."""


def kinds(inquiry: PipelineInquiry) -> list[str]:
    """The platforms and sizes of the pipeline's builds, as CodeBuild's quotas call them."""
    names = {stage.environment for stage in inquiry.pipeline.stages}
    images = {IMAGES[e.compute.architecture] for e in inquiry.environments if e.name in names}
    return sorted({*AT_ONCE, *images})


def ask(inquiry: PipelineInquiry) -> Iterator[Answer]:
    """A new account may be allowed none: "Cannot have more than 0 builds in queue"."""
    for kind in kinds(inquiry):
        name = f"Concurrently running builds for {kind} environment"
        granted = quota(inquiry.aws, "codebuild", name)
        if granted is None:
            yield unknown(f"AWS names no quota “{name}”")
        elif granted < 1:
            yield bad(f"“{name}” is {granted:g}", request("codebuild", name, AT_ONCE.get(kind, 1)))
        else:
            yield good(f"“{name}” is {granted:g}; the pipeline has use for {AT_ONCE.get(kind, 1)}")
