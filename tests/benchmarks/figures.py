"""How figures are printed."""


def report(
    what: str, measured: float, unit: str, *, at_most: float | None = None, at_least: float | None = None
) -> None:
    """Print one figure, beside the bound that it has where it has one."""
    claimed = f" (at most {at_most:g})" if at_most is not None else ""
    claimed += f" (at least {at_least:g})" if at_least is not None else ""
    kept = (at_most is None or measured <= at_most) and (at_least is None or measured >= at_least)
    missed = "" if kept else "   NOT AS CLAIMED"
    line = f"{what:<66} {measured:8.2f} {unit:<3}{claimed}{missed}"
    print(line, flush=True)  # noqa: T201 - the output of this program


def tell(what: str) -> None:
    """Print something that is no figure."""
    print(what, flush=True)  # noqa: T201 - the output of this program
