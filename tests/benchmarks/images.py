"""How large the images are, as a registry counts them, and how soon their tasks serve."""

import statistics
import subprocess
import tarfile
import tempfile
import time
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from infra.services import read_services
from tests.benchmarks.figures import report, tell
from tests.images import engine
from tests.images.deployment import aws_beside, build_images, definitions_of
from tests.infra.synth import ROOT, synthesize_quickly
from tests.infra.template import read_assembly

MEGABYTES = {"backend": 90, "ai_core": 250}
START_SECONDS = 3
PROCESS_SECONDS = 2
STARTS = 5
CHUNK = 1 << 20
_BUILT_WITH = "import sysconfig; print(sysconfig.get_config_var('CONFIG_ARGS'))"


def report_images() -> None:
    """Build both as the deployment does; nothing where no container engine is."""
    if lacks := engine.missing():
        tell(f"The images are left out: this {lacks}.")
        return
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "cdk.out"
        synthesize_quickly(ROOT, out, {}).check_returncode()
        images, definitions = build_images(out, Path(folder) / "contexts"), definitions_of(read_assembly(out))
        base = compressed_megabytes(engine.BASE)
        if "--enable-optimizations" not in engine.python(engine.BASE, _BUILT_WITH):
            tell("The base's Python is built without --enable-optimizations, unlike the official one: it starts later.")
        with aws_beside(images, definitions) as aws:
            for service, image in images.items():
                megabytes = compressed_megabytes(image)
                report(f"image of {service}, compressed", megabytes, "MB", at_most=MEGABYTES[service])
                report("  of it its base", base, "MB")
                definition = definitions[f"sanctum-dev-{service.replace('_', '-')}"]
                within = read_services()[service].health.start_seconds
                for what, cpu, at_most, own_at_most in (
                    ("a whole vCPU", "1024", START_SECONDS, PROCESS_SECONDS),
                    ("as in dev", definition["Cpu"], None, None),
                ):
                    starts = [_start_seconds(image, definition | {"Cpu": cpu}, aws, within) for _ in range(STARTS)]
                    asked, own = (statistics.median(seconds) for seconds in zip(*starts, strict=True))
                    report(f"  serves after, {what}, median of {STARTS}", asked, "s", at_most=at_most)
                    report("    of it since the engine began its process", own, "s", at_most=own_at_most)


def _start_seconds(image: str, definition: engine.Json, aws: str, within: float) -> tuple[float, float]:
    """Until it serves: since the engine was asked for it, and since the engine began its process."""
    asked = time.time()
    with engine.serving(image, definition, aws, within=within) as container:
        serves = time.time()
        began = datetime.fromisoformat(engine.docker("inspect", "--format={{.State.StartedAt}}", container))
        return serves - asked, serves - began.timestamp()


def compressed_megabytes(image: str) -> float:
    """All layers of an image, each compressed by itself as it is pushed (gzip's usual level)."""
    total = 0
    with _saved(image) as archive:
        for member in archive:
            if member.isfile() and (layer := archive.extractfile(member)):
                packer = zlib.compressobj()
                while piece := layer.read(CHUNK):
                    total += len(packer.compress(piece))
                total += len(packer.flush())
    return total / 1e6


@contextmanager
def _saved(image: str) -> Generator[tarfile.TarFile]:
    with (
        subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as save,
        tarfile.open(fileobj=save.stdout, mode="r|") as archive,
    ):
        yield archive
    if save.returncode:
        raise RuntimeError(f"docker save {image} ended with {save.returncode}")
