"""`.tools/dependencies/bin/python tools/sbom_schema.py FILE…`: whether bills are valid by CycloneDX's own schemas."""

import importlib
import json
import sys
from pathlib import Path


def main(files: list[Path]) -> int:
    """Name what is wrong, and return what the process ends with."""
    # They are in an environment of their own, where no type checker looks.
    validation = importlib.import_module("cyclonedx.validation.json")
    schema = importlib.import_module("cyclonedx.schema").SchemaVersion
    wrong = 0
    for file in files:
        text = file.read_text(encoding="utf-8")
        validator = validation.JsonStrictValidator(schema.from_version(json.loads(text)["specVersion"]))
        if error := validator.validate_str(text):
            sys.stderr.write(f"{file} is no valid bill of materials: {error.data.json_path}: {error.data.message}\n")
            wrong += 1
    if not files:
        sys.stderr.write("There is no bill of materials.\n")
    return 1 if wrong or not files else 0


if __name__ == "__main__":
    sys.exit(main([Path(file) for file in sys.argv[1:]]))
