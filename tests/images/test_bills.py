"""The bill of materials of an image says what is in it: no package more, none less, none in another version."""

import json

import pytest
from packaging.utils import canonicalize_name

from tests.images import engine
from tests.images.deployment import SERVICES
from tools.sbom import ROOT, image_bill

MISSING = engine.missing()
pytestmark = [
    pytest.mark.skipif(MISSING is not None, reason=MISSING or ""),
    pytest.mark.xdist_group("images"),  # built once
]

LIST = """
import importlib.metadata, json, platform
packages = [(one.name, one.version) for one in importlib.metadata.distributions()]
print(json.dumps({"packages": packages, "python": platform.python_version()}))
"""


@pytest.mark.parametrize("service", SERVICES)
def test_a_bill_of_materials_is_what_is_in_the_image(images: dict[str, str], service: str) -> None:
    there = json.loads(engine.docker("run", "--rm", "--entrypoint=python", images[service], "-c", LIST))
    base, *packages = image_bill(ROOT / "services" / service, {})["components"]
    assert {one["name"]: one["version"] for one in packages} == {
        canonicalize_name(name): version for name, version in there["packages"]
    }
    assert there["python"].startswith(f"{base['version'].partition('-')[0]}.")
