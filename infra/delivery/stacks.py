"""What ``make deploy`` asks: ``python -m infra.delivery.stacks ENVIRONMENT``. Imports no CDK."""

import sys

from infra.delivery.settings import Pipeline, read_pipeline
from infra.settings import PIPELINE, InvalidSettings, read_environments


def deployed_as(name: str, pipeline: Pipeline | None) -> str:
    """What ``cdk deploy`` calls the stacks of the environment ``name``, or of the pipeline.

    An environment that the pipeline deploys is part of the pipeline.
    """
    if name == PIPELINE:
        return name
    delivered = pipeline and name in {stage.environment for stage in pipeline.stages}
    return f"{PIPELINE}/{name}/*" if delivered else f"{name}/*"


def main() -> None:
    """Print it."""
    (name,) = sys.argv[1:]
    try:
        environments = read_environments()
        pipeline = read_pipeline(environments)
    except InvalidSettings as error:
        sys.exit(str(error))
    known = [*(environment.name for environment in environments), *([PIPELINE] if pipeline else [])]
    if name not in known:
        sys.exit(f"{name} is none of {', '.join(known)}")
    print(deployed_as(name, pipeline))  # noqa: T201  # it is what was asked for


if __name__ == "__main__":
    main()
