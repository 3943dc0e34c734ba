"""Compute what synthesized templates mean for security, and hold it against what is allowed.

CDK_OUT is the folder of a cloud assembly, as `cdk synth` writes it. Only files are read. Exit codes: 0 all holds; 1 a
claim is broken, or a known rule; 2 something could not be read or modelled, whatever else: then nothing is proved.
"""

import argparse
import gc
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

CLAIMS: Final = Path(__file__).parents[1] / "claims.toml"
WAIVERS: Final = CLAIMS.with_name("waivers.toml")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return what the process ends with."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    return command(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.assurance", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, command: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        added.set_defaults(command=command)
        return added

    for name, command, text in (
        ("check", _check, "judge every claim, and known rules"),
        ("report", _report, "write the evidence page in Markdown: each claim, its verdict, its facts"),
    ):
        judging = add(name, command, text)
        judging.add_argument("assembly", metavar="CDK_OUT", type=Path)
        judging.add_argument("--claims", metavar="FILE", type=Path, default=CLAIMS, help="default: %(default)s")
        judging.add_argument("--no-guard", action="store_true", help="leave out the rules that Guard judges")
        if name == "check":
            judging.add_argument("--json", action="store_true", help="one JSON object, with all facts")
    drawing = add("graph", _graph, "draw who reaches whom, in Mermaid")
    drawing.add_argument("assembly", metavar="CDK_OUT", type=Path)
    comparing = add("guard", _guard, "compare two assemblies, or folders of templates: is what is stateful kept?")
    comparing.add_argument("old", metavar="OLD", type=Path)
    comparing.add_argument("new", metavar="NEW", type=Path)
    comparing.add_argument("--waivers", metavar="FILE", type=Path, default=WAIVERS, help="default: %(default)s")
    return parser


def _check(options: argparse.Namespace) -> int:
    from infra.assurance.check import check  # noqa: PLC0415  # loaded when it is asked for
    from infra.assurance.printed import as_json, as_text  # noqa: PLC0415  # loaded when it is asked for

    outcome = check(options.assembly, options.claims, known_rules=not options.no_guard)
    _say((as_json if options.json else as_text)(outcome))
    return outcome.code


def _report(options: argparse.Namespace) -> int:
    from infra.assurance.check import accepted, check  # noqa: PLC0415  # loaded when it is asked for
    from infra.assurance.refusal import Refusals  # noqa: PLC0415  # loaded when it is asked for
    from infra.assurance.report import as_markdown  # noqa: PLC0415  # loaded when it is asked for

    outcome = check(options.assembly, options.claims, known_rules=not options.no_guard)
    refusals = Refusals()
    rows = [] if options.no_guard else accepted(refusals)
    outcome.refused += refusals
    _say(as_markdown(outcome, rows), end="")
    return outcome.code


def _graph(options: argparse.Namespace) -> int:
    from infra.assurance import check  # noqa: PLC0415  # loaded when it is asked for
    from infra.assurance.facts import distinct  # noqa: PLC0415  # loaded when it is asked for
    from infra.assurance.network.graph import mermaid  # noqa: PLC0415  # loaded when it is asked for
    from infra.assurance.printed import refusals as lines  # noqa: PLC0415  # loaded when it is asked for
    from infra.assurance.refusal import Refusals  # noqa: PLC0415  # loaded when it is asked for

    refusals = Refusals()
    models = check.models_of(options.assembly, refusals)
    _say(mermaid(distinct(fact for model in models for fact in check.reachability_of(model, refusals))))
    refused = check.refused_by(models, refusals)
    for line in lines(refused):
        sys.stderr.write(f"{line}\n")
    return check.REFUSED if refused else check.HOLDS


def _guard(options: argparse.Namespace) -> int:
    from infra.assurance.stateful import changes  # noqa: PLC0415  # loaded when it is asked for

    outcome = changes(options.old, options.new, options.waivers)
    _say(outcome.text)
    return outcome.code


def _say(text: str, *, end: str = "\n") -> None:
    sys.stdout.write(text + end)


if __name__ == "__main__":
    gc.disable()  # a run keeps what it makes, what it loads included, and ends
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # to free half a million objects one by one takes longer than to judge the claims
