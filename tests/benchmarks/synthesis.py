"""What a synth costs: as the tests and a developer run it, beside the same application by the command's defaults."""

import resource
import sys
import tempfile
from pathlib import Path
from statistics import median

from tests.benchmarks.figures import report
from tests.infra.synth import ROOT, synthesize, synthesize_quickly


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _synth_seconds(folder: Path, *, loop: bool) -> float:
    """CPU of one synth, of all the processes in it."""
    before = _cpu_of_children()
    if loop:
        made = synthesize_quickly(ROOT, folder, {})
    else:
        made = synthesize(ROOT, folder, {}, app=f"{sys.executable} app.py")
    assert made.returncode == 0, made.stderr
    return _cpu_of_children() - before


def report_synthesis() -> None:
    """Everything that there is, written in both ways in turn; the median of three."""
    with tempfile.TemporaryDirectory() as folder:
        _synth_seconds(Path(folder) / "warm", loop=True)  # jsii unpacks the library, Python compiles
        pairs = [
            (_synth_seconds(Path(folder) / f"loop{n}", loop=True), _synth_seconds(Path(folder) / f"all{n}", loop=False))
            for n in range(3)
        ]
    loop, default = (median(seconds) for seconds in zip(*pairs, strict=True))
    report(
        "CPU of a synth of everything in the local loop, the command's defaults = 1", loop / default, "", at_most=0.45
    )
    report("  CPU of it", loop, "s")
    report("  CPU of one by the command's defaults, which validates too", default, "s")


if __name__ == "__main__":
    report_synthesis()
