"""What the builds of a commit have in common: npm's packages are kept from build to build.

They are kept as they were downloaded and never as they were installed: ``npm`` compares each with the hash in its lock
file, so that nothing that somebody put there would be taken. They are kept once for each state of the lock file
(CodeBuild guide, "Amazon S3 caching"). ``uv`` keeps what it has unpacked and does not compare it again; it fetches
Python's packages anew, which takes seconds.
"""

from typing import Final

from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_s3 as s3

DOWNLOADS: Final = "downloads"
"""Where in the bucket of the artifacts the packages are that a build has fetched before."""
KEPT: Final = "build/downloads"
"""Where they are in the checkout of a build."""
CACHE: Final = {"key": "downloads-$(codebuild-hash-files package-lock.json)", "paths": [f"{KEPT}/**/*"]}
"""The part of a build specification that says what is kept."""
VARIABLES: Final = {
    "CI": "true",  # a test that skips has to be on the list
    "npm_config_cache": KEPT,
}
LONG: Final = 60
"""Minutes after which a build of a commit is given up."""


def kept(bucket: s3.IBucket) -> codebuild.Cache:
    """The packages in ``bucket``; whoever has it may read and write there."""
    return codebuild.Cache.bucket(bucket, prefix=DOWNLOADS)
