"""Pages that answer with tests: which they name, and whether those exist."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


@cache
def _tests_of(path: str) -> set[str]:
    nodes = ast.parse((ROOT / path).read_text()).body
    return {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def missing(text: str) -> list[str]:
    """The tests that ``text`` names and that do not exist."""
    return [
        f"{path}::{test}"
        for path, test in TEST.findall(text)
        if not (ROOT / path).is_file() or test not in _tests_of(path)
    ]
