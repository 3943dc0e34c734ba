"""The runtime of the embedding model keeps to itself what it is used for."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PLAINLY = "import onnxruntime"
AS_WE_DO = "from ai_core.memory import embedder, onnx; onnx.load(embedder.model_path())"


@pytest.mark.parametrize(("program", "marked"), [(PLAINLY, True), (AS_WE_DO, False)])
def test_it_tells_nobody_of_its_use(tmp_path: Path, program: str, *, marked: bool) -> None:
    """What it tells Microsoft it keeps in the home folder until it is sent, with an id of the machine.

    Nothing of our environment is there: it tells less where it finds that it is in CI.
    """
    environment = {"HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path), "https_proxy": "http://127.0.0.1:9"}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True, capture_output=True)
    assert bool(list(tmp_path.rglob("deviceid"))) == marked
    assert marked or not list(tmp_path.iterdir())
