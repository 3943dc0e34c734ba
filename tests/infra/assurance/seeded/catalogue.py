"""All defects, and whether the proof says what it must about one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from infra.assurance.check import HOLDS, check
from infra.assurance.printed import as_text
from tests.infra.assurance.other_application.assembly import CLAIMS as BOOKSHOPS_CLAIMS
from tests.infra.assurance.seeded.contexts import CONTEXTS
from tests.infra.assurance.seeded.defect import Application, Defect, Said, clean
from tests.infra.assurance.seeded.defects import DEFECTS
from tests.infra.assurance.seeded.qualities import QUALITIES
from tests.infra.assurance.seeded.rights import RIGHTS
from tests.infra.assurance.seeded.unmodelled import UNMODELLED
from tests.infra.assurance.seeded.ways_in import WAYS_IN
from tests.infra.synth import ROOT

CLAIMS: Final[Mapping[Application, Path]] = {
    Application.OURS: ROOT / "infra" / "claims.toml",
    Application.BOOKSHOP: BOOKSHOPS_CLAIMS,
}
MORE: Final[Mapping[str, Defect]] = {**WAYS_IN, **RIGHTS, **CONTEXTS, **QUALITIES, **UNMODELLED}
ALL: Final[Mapping[str, Defect]] = {**DEFECTS, **MORE}


def judged(application: Application, folder: Path) -> tuple[int, list[str]]:
    """What a check ends with, and the lines it prints, without the verdicts that hold."""
    outcome = check(folder, CLAIMS[application], known_rules=False)
    return outcome.code, as_text(outcome).splitlines()


def slipped(defect: Defect, application: Application, ours: Path, folder: Path) -> str:
    """What is wrong with what the proof says of a defect; nothing if it says what it must."""
    said = defect.apply(clean(application, ours, folder))
    code, lines = judged(application, folder)
    told = [line for line in lines if _tells(line, said)]
    if code != HOLDS and told:
        return ""
    shown = [line for line in lines if line.lstrip().startswith(("not allowed", "missing", "REFUSED"))]
    return "\n".join([f"ends with {code} and says nowhere {said}:", *shown[:20]])


def _tells(line: str, said: Said) -> bool:
    return line.lstrip().startswith(("not allowed", "REFUSED")) and all(text in line for text in said)
