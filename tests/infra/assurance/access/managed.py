"""The policies that AWS keeps, as moto carries them; run as a program, it writes the copies that the proof reads.

`.venv/bin/python -m tests.infra.assurance.access.managed`
"""

import json
from typing import Any, cast

from moto.iam.aws_managed_policies import aws_managed_policies_data

from infra.assurance.access.managed_policies import FOLDER


def published() -> dict[str, str]:
    """The copies that there are, by name, as they should be: a statement a line."""
    policies: dict[str, Any] = json.loads(aws_managed_policies_data)
    return {file.stem: _text(policies[file.stem]["Document"]) for file in sorted(FOLDER.glob("*.json"))}


def _text(document: dict[str, Any]) -> str:
    given: Any = document["Statement"]
    statements = cast("list[Any]", given if isinstance(given, list) else [given])
    lines = ",\n".join(json.dumps(statement, sort_keys=True) for statement in statements)
    return f'{{"Version": {json.dumps(document["Version"])}, "Statement": [\n{lines}\n]}}\n'


if __name__ == "__main__":
    for name, text in published().items():
        (FOLDER / f"{name}.json").write_text(text)
