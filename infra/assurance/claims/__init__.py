"""What is allowed, sentence by sentence, and whether the facts keep to it."""

from infra.assurance.claims.claim import Claim, Claims, Row
from infra.assurance.claims.file import read_claims
from infra.assurance.claims.place import Place, places_of
from infra.assurance.claims.verdict import State, Verdict, judge

__all__ = ["Claim", "Claims", "Place", "Row", "State", "Verdict", "judge", "places_of", "read_claims"]
