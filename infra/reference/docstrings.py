"""What is written below a field of a class."""

import ast
import inspect
import itertools
import textwrap


def field_docstrings(table: type) -> dict[str, str]:
    """The text below each annotated field of ``table``, also those that it inherits, on one line each."""
    found: dict[str, str] = {}
    for parent in reversed([c for c in table.__mro__ if c.__module__ == table.__module__]):
        (definition,) = ast.parse(textwrap.dedent(inspect.getsource(parent))).body
        body = definition.body if isinstance(definition, ast.ClassDef) else []
        for field, text in itertools.pairwise(body):
            match field, text:
                case (
                    ast.AnnAssign(target=ast.Name(id=name)),
                    ast.Expr(value=ast.Constant(value=str(docstring))),
                ):
                    found[name] = " ".join(docstring.split()).replace("``", "`")
                case _:
                    pass
    return found
