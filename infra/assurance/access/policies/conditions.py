"""Conditions of a statement, decided with what is known of a request.

A key that is not known may hold anything: the answer is maybe. A key that the request certainly lacks fits no operator
but the negated ones, `…IfExists` and `ForAllValues:…`:
<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html>.
"""

from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Final, NamedTuple

from infra.assurance.access.policies.operators import OPERATORS, Operator
from infra.assurance.access.policies.truth import MAYBE, NO, YES, Truth, every, negated, some
from infra.assurance.access.policies.variables import Lookup, substitute
from infra.assurance.model.assembly import Json
from infra.assurance.model.identity import is_unknown
from infra.assurance.refusal import Refused

_NULL: Final = "null"
_IF_EXISTS: Final = "ifexists"


class Quantifier(Enum):
    """How many of a key's values have to fit."""

    ONLY = ""
    ALL = "forallvalues:"
    ANY = "foranyvalue:"


class Condition(NamedTuple):
    """One operator on one key (in lower case) with the values that a policy gives."""

    written: str
    quantifier: Quantifier
    operator: Operator | None
    if_exists: bool
    key: str
    values: tuple[str, ...]

    @classmethod
    def parse(cls, operator: str, key: str, values: Sequence[Json], where: str) -> "Condition":
        """Read one.

        Raises:
            Refused: there is no such operator, or a value is none of its kind.
        """
        rest = operator.lower()
        quantifier = next(
            each for each in (Quantifier.ALL, Quantifier.ANY, Quantifier.ONLY) if rest.startswith(each.value)
        )
        rest = rest.removeprefix(quantifier.value)
        if_exists = rest.endswith(_IF_EXISTS)
        rest = rest.removesuffix(_IF_EXISTS)
        if (rest != _NULL and rest not in OPERATORS) or (
            rest == _NULL and (if_exists or quantifier is not Quantifier.ONLY)
        ):
            raise Refused(f"has a policy with the condition operator {operator}, which is not known", where=where)
        if not all(isinstance(value, str | int | float) for value in values):
            raise Refused(f"has a policy with {operator} {key}, whose values are no texts or numbers", where=where)
        texts = tuple(_text(value) for value in values)
        condition = cls(operator, quantifier, OPERATORS.get(rest), if_exists, key.lower(), texts)
        condition.check(where)
        return condition

    def check(self, where: str) -> None:
        """Refuse values that are none of the operator's kind.

        Raises:
            Refused: one is not.
        """
        for value in filter(lambda value: not is_unknown(value), self.values):
            try:
                if self.operator is None and value.lower() not in {"true", "false"}:
                    raise ValueError(value)  # noqa: TRY301 - told as any other
                if self.operator and not self.operator.is_text:
                    self.operator.compare(value, value)
            except ValueError as error:
                raise Refused(f"has a policy with {self}: {value} is no value for it", where=where) from error

    def holds(self, lookup: Lookup, *, variables: bool = True) -> Truth:
        """Whether it holds, as far as a request's keys are known."""
        given = lookup(self.key)
        if self.operator is None:
            return MAYBE if given is None else some(_is_null(value, given) for value in self.values)
        if given is None:
            return MAYBE
        if not given:
            return self._of_nothing(self.operator)
        fits = [self._fits(self.operator, value, lookup, variables=variables) for value in given]
        if self.quantifier is Quantifier.ALL:
            return every(fits)
        if self.quantifier is Quantifier.ANY:
            return some(fits)
        return fits[0] if len(fits) == 1 else MAYBE  # AWS leaves it open without a quantifier

    def _of_nothing(self, operator: Operator) -> Truth:
        if self.quantifier is Quantifier.ANY:
            return MAYBE if self.if_exists else NO  # AWS tells of each that it decides, not which of the two
        return YES if self.if_exists or operator.negated or self.quantifier is Quantifier.ALL else NO

    def _fits(self, operator: Operator, given: str, lookup: Lookup, *, variables: bool) -> Truth:
        truth = some(self._compared(operator, given, lookup, variables=variables))
        return negated(truth) if operator.negated else truth

    def _compared(self, operator: Operator, given: str, lookup: Lookup, *, variables: bool) -> Iterator[Truth]:
        for value in self.values:
            wanted = substitute(value, lookup) if operator.is_text and variables else value
            if wanted is None:  # a variable without a value matches nothing, though a negated operator may not say so
                yield MAYBE if operator.negated else NO
            elif not operator.is_text and (is_unknown(wanted) or is_unknown(given)):
                yield MAYBE
            else:
                yield operator.compare(wanted, given)

    def __str__(self) -> str:
        """As a reviewer reads it."""
        return f"{self.written} {self.key} {', '.join(self.values)}"


def _is_null(value: str, given: tuple[str, ...]) -> Truth:
    if is_unknown(value):
        return MAYBE
    return YES if (value.lower() == "true") is (not given) else NO


def _text(value: Json) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
