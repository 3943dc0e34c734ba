"""z3, as far as the second opinion needs it: formulas over one connection, and a solver that is asked about them.

An IPv4 address is written as an IPv6 one (`::ffff:0:0/96`, RFC 4291), so that one variable holds either.
"""

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from ipaddress import IPv4Network
from typing import Any, Final, NamedTuple, TypeAlias

import z3

from infra.assurance.second_opinion.rules import WITH_PORTS, Block, Rule

Formula: TypeAlias = Any
"""A z3 expression that is true or false; z3 has no types of its own."""

_Z3: Any = z3
_WIDTH: Final = 128
_IPV4_WIDTH: Final = 32
_IPV4_MARK: Final = 0xFFFF


class Connection(NamedTuple):
    """One connection the solver found."""

    who: int
    protocol: int
    port: int


class Formulas:
    """Says things of one connection: who opens it, from and to which address, by which protocol, to which port."""

    def __init__(self) -> None:
        self._who = _Z3.BitVec("who", 16)
        self._protocol = _Z3.BitVec("protocol", 8)
        self._port = _Z3.BitVec("port", 16)
        self._source, self._target = _Z3.BitVec("source", _WIDTH), _Z3.BitVec("target", _WIDTH)
        self._said: dict[object, Formula] = {}
        self._solver = _Z3.SolverFor("QF_BV")
        self.true: Formula = _Z3.And()
        self.same_family: Formula = _ipv4(self._source) == _ipv4(self._target)

    def every(self, *formulas: Formula) -> Formula:
        """All hold."""
        return _Z3.And(*formulas)

    def some(self, formulas: Iterable[Formula]) -> Formula:
        """At least one holds."""
        return _Z3.Or(*formulas)

    def none_of(self, formulas: Iterable[Formula]) -> Formula:
        """None holds."""
        return _Z3.Not(_Z3.Or(*formulas))

    def who(self, number: int) -> Formula:
        """That source opens it."""
        return self._once(number, lambda: self._who == number)

    def source_in(self, block: Block) -> Formula:
        """It comes from one of the addresses."""
        return self._once(("source", block), lambda: _inside(self._source, block))

    def target_in(self, block: Block) -> Formula:
        """It goes to one of the addresses."""
        return self._once(("target", block), lambda: _inside(self._target, block))

    def by(self, rule: Rule) -> Formula:
        """The rule's protocol and ports fit."""
        if rule.protocol is None:
            return self.true
        return self.between(rule.protocol, rule.low, rule.high)

    def between(self, protocol: int, low: int, high: int) -> Formula:
        """It speaks the protocol, to one of the ports."""
        return self._once((protocol, low, high), lambda: self._between(protocol, low, high))

    def _between(self, protocol: int, low: int, high: int) -> Formula:
        speaks = self._protocol == protocol
        if protocol not in WITH_PORTS:
            return speaks
        if low == high:
            return _Z3.And(speaks, self._port == low)
        return _Z3.And(speaks, _Z3.UGE(self._port, low), _Z3.ULE(self._port, high))

    def _once(self, key: object, make: Callable[[], Formula]) -> Formula:
        """The same formula is made once: making them takes longer than solving."""
        if key not in self._said:
            self._said[key] = make()
        return self._said[key]

    @contextmanager
    def assumed(self, *formulas: Formula) -> Generator[None]:
        """Hold the formulas to be true within the block."""
        self._solver.push()
        self._solver.add(*formulas)
        try:
            yield
        finally:
            self._solver.pop()

    def possible(self, *formulas: Formula) -> bool:
        """Whether some connection fits all that is assumed and these formulas."""
        return bool(self._solver.check(*formulas) == _Z3.sat)

    def found(self, *formulas: Formula) -> Connection | None:
        """A connection that fits all that is assumed and these formulas, if there is one."""
        if not self.possible(*formulas):
            return None
        model = self._solver.model()
        who, protocol, port = (
            model.eval(variable, model_completion=True).as_long()
            for variable in (self._who, self._protocol, self._port)
        )
        return Connection(who, protocol, port)


def _ipv4(address: Any) -> Formula:
    return _Z3.Extract(_WIDTH - 1, _IPV4_WIDTH, address) == _IPV4_MARK


def _inside(address: Any, block: Block) -> Formula:
    """Its first bits are the block's."""
    number, length = int(block.network_address), block.prefixlen
    if isinstance(block, IPv4Network):
        number, length = number | _IPV4_MARK << _IPV4_WIDTH, length + _WIDTH - _IPV4_WIDTH
    elif not length:
        return _Z3.Not(_ipv4(address))
    begins = _Z3.Extract(_WIDTH - 1, _WIDTH - length, address) == number >> _WIDTH - length
    return begins if isinstance(block, IPv4Network) else _Z3.And(begins, _Z3.Not(_ipv4(address)))
