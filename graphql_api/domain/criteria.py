"""Criteria on records, each of which is a predicate in Python and a condition in DynamoDB.

DynamoDB cannot check all of them. So the condition of a criterion is a pair: one that is necessary
for it, and one that is sufficient. Where they are the same, DynamoDB alone decides.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import Any, NamedTuple, TypeAlias

from graphql_api.infra.dynamodb import Attr, Condition

Clause: TypeAlias = Condition | bool  # True and False hold for every item and for none
ALWAYS: Clause = True
NEVER: Clause = False


class Bounds(NamedTuple):
    """A condition without which a criterion does not hold, and one with which it does."""

    necessary: Clause
    sufficient: Clause


class Criterion:
    """A criterion on records; `holds` checks one."""

    def holds(self, record: Any) -> bool:
        """Return whether it holds for a record."""
        raise NotImplementedError

    def bounds(self) -> Bounds:
        """The conditions in DynamoDB."""
        raise NotImplementedError

    @property
    def is_exact(self) -> bool:
        """Return whether DynamoDB alone can decide."""
        return True

    @property
    def names(self) -> frozenset[str]:
        """The attributes of a record by which it decides."""
        raise NotImplementedError

    def verdict(self, record: Any) -> bool | None:
        """Return whether it holds for a record that lacks attributes; None if it depends on them.

        The values are those of Kleene's three-valued logic.
        """
        known = all(hasattr(record, name) for name in self.names)
        return self.holds(record) if known else None

    def conjuncts(self) -> "Iterator[Criterion]":
        """The criteria all of which have to hold."""
        yield self


class _Condition(Criterion):
    """A criterion on one attribute that DynamoDB can check."""

    name: str

    @property
    def names(self) -> frozenset[str]:
        """The attribute."""
        return frozenset({self.name})

    def clause(self) -> Clause:
        """The condition in DynamoDB."""
        raise NotImplementedError

    def bounds(self) -> Bounds:
        """The condition, twice."""
        clause = self.clause()
        return Bounds(clause, clause)


def _in_one_of(names: Iterable[str], condition: Callable[[Attr], Condition]) -> Condition:
    """The condition on whichever of these attributes an item has."""
    return reduce(or_, [condition(Attr(name)) for name in names])


@dataclass(frozen=True, slots=True)
class AtLeast(_Condition):
    """The attribute is there, and is this value or a later one.

    `stored` are the attributes of items one of which has it, if it is not its own.
    """

    name: str
    value: Any
    stored: tuple[str, ...] = ()

    def holds(self, record: Any) -> bool:
        """Compare the record's value."""
        found = getattr(record, self.name)
        return found is not None and bool(found >= self.value)

    def clause(self) -> Clause:
        """The condition in DynamoDB."""
        return _in_one_of(self.stored or (self.name,), lambda each: each.gte(self.value))


@dataclass(frozen=True, slots=True)
class Before(_Condition):
    """The attribute is there, and before this value; `stored` as in `AtLeast`."""

    name: str
    value: Any
    stored: tuple[str, ...] = ()

    def holds(self, record: Any) -> bool:
        """Compare the record's value."""
        found = getattr(record, self.name)
        return found is not None and bool(found < self.value)

    def clause(self) -> Clause:
        """The condition in DynamoDB."""
        return _in_one_of(self.stored or (self.name,), lambda each: each.lt(self.value))


@dataclass(frozen=True, slots=True)
class OneOf(_Condition):
    """The attribute is one of these values."""

    name: str
    values: tuple[Any, ...]

    def holds(self, record: Any) -> bool:
        """Look for the record's value."""
        return getattr(record, self.name) in self.values

    def clause(self) -> Clause:
        """The condition in DynamoDB."""
        return Attr(self.name).is_in(list(self.values)) if self.values else False


@dataclass(frozen=True, slots=True)
class Exists(_Condition):
    """The attribute has a value; `stored` as in `AtLeast`."""

    name: str
    stored: tuple[str, ...] = ()

    def holds(self, record: Any) -> bool:
        """Look for a value."""
        return getattr(record, self.name) is not None

    def clause(self) -> Clause:
        """The condition in DynamoDB."""
        return _in_one_of(self.stored or (self.name,), lambda each: each.exists())


@dataclass(frozen=True, slots=True)
class IsEmpty(_Condition):
    """The attribute is an empty list."""

    name: str

    def holds(self, record: Any) -> bool:
        """Look at the record's list."""
        return not getattr(record, self.name)

    def clause(self) -> Clause:
        """The condition in DynamoDB."""
        return Attr(self.name).eq([])


@dataclass(frozen=True, slots=True)
class Computed(Criterion):
    """A criterion that only Python can check, by these attributes."""

    attributes: frozenset[str]
    check: Callable[[Any], bool]

    @property
    def names(self) -> frozenset[str]:
        """The given attributes."""
        return self.attributes

    def holds(self, record: Any) -> bool:
        """Check the record."""
        return self.check(record)

    def bounds(self) -> Bounds:
        """Anything may match, and nothing does for certain."""
        return Bounds(ALWAYS, NEVER)

    @property
    def is_exact(self) -> bool:
        """DynamoDB cannot decide."""
        return False


@dataclass(frozen=True, slots=True)
class KeyIn(Criterion):
    """The key is one of these, for which DynamoDB has no condition: it reads items by key."""

    name: str
    values: tuple[str, ...]

    @property
    def names(self) -> frozenset[str]:
        """The key."""
        return frozenset({self.name})

    def holds(self, record: Any) -> bool:
        """Look for the record's key."""
        return getattr(record, self.name) in self.values

    def bounds(self) -> Bounds:
        """Anything may match, and nothing does for certain, unless there are no keys."""
        return Bounds(ALWAYS if self.values else NEVER, NEVER)

    @property
    def is_exact(self) -> bool:
        """DynamoDB cannot decide."""
        return False


@dataclass(frozen=True, slots=True)
class All(Criterion):
    """All of these criteria hold; with none of them, it always does."""

    parts: tuple[Criterion, ...]

    def holds(self, record: Any) -> bool:
        """Check them in their order."""
        return all(part.holds(record) for part in self.parts)

    @property
    def names(self) -> frozenset[str]:
        """The attributes of its parts."""
        return _names(self.parts)

    def verdict(self, record: Any) -> bool | None:
        """Deny it as soon as one part is denied."""
        verdicts = [part.verdict(record) for part in self.parts]
        return False if False in verdicts else None if None in verdicts else True

    def bounds(self) -> Bounds:
        """Join theirs by AND."""
        bounds = [part.bounds() for part in self.parts]
        return Bounds(_every(each[0] for each in bounds), _every(each[1] for each in bounds))

    @property
    def is_exact(self) -> bool:
        """Return whether DynamoDB decides each."""
        return all(part.is_exact for part in self.parts)

    def conjuncts(self) -> Iterator[Criterion]:
        """Yield the conjuncts of its parts."""
        for part in self.parts:
            yield from part.conjuncts()


EVERYTHING = All(())
"""The criterion that always holds."""


@dataclass(frozen=True, slots=True)
class Any_(Criterion):  # noqa: N801 - typing has the other
    """One of these criteria holds; with none of them, it never does."""

    parts: tuple[Criterion, ...]

    def holds(self, record: Any) -> bool:
        """Check them in their order."""
        return any(part.holds(record) for part in self.parts)

    @property
    def names(self) -> frozenset[str]:
        """The attributes of its parts."""
        return _names(self.parts)

    def verdict(self, record: Any) -> bool | None:
        """Affirm it as soon as one part is affirmed."""
        verdicts = [part.verdict(record) for part in self.parts]
        return True if True in verdicts else None if None in verdicts else False

    def bounds(self) -> Bounds:
        """Join theirs by OR."""
        bounds = [part.bounds() for part in self.parts]
        return Bounds(_some(each[0] for each in bounds), _some(each[1] for each in bounds))

    @property
    def is_exact(self) -> bool:
        """Return whether DynamoDB decides each."""
        return all(part.is_exact for part in self.parts)


@dataclass(frozen=True, slots=True)
class Not(Criterion):
    """The criterion does not hold."""

    part: Criterion

    def holds(self, record: Any) -> bool:
        """Check the opposite."""
        return not self.part.holds(record)

    @property
    def names(self) -> frozenset[str]:
        """The attributes of the part."""
        return self.part.names

    def verdict(self, record: Any) -> bool | None:
        """Affirm what is denied, and the other way round."""
        verdict = self.part.verdict(record)
        return None if verdict is None else not verdict

    def bounds(self) -> Bounds:
        """Negate them: what suffices for the part is what has to be missing."""
        necessary, sufficient = self.part.bounds()
        return Bounds(_negated(sufficient), _negated(necessary))

    @property
    def is_exact(self) -> bool:
        """Return whether DynamoDB decides the part."""
        return self.part.is_exact


def unless(part: Criterion, *, wanted: bool) -> Criterion:
    """The criterion, or its opposite if it is not wanted."""
    return part if wanted else Not(part)


def range_of(criteria: Iterable[Criterion], name: str) -> tuple[Any, Any]:
    """The earliest and, exclusive, the latest value of an attribute; None without a bound."""
    low = [each.value for each in criteria if isinstance(each, AtLeast) and each.name == name]
    high = [each.value for each in criteria if isinstance(each, Before) and each.name == name]
    return max(low, default=None), min(high, default=None)


def _names(parts: Iterable[Criterion]) -> frozenset[str]:
    return frozenset().union(*(part.names for part in parts))


def _every(clauses: Iterable[Clause]) -> Clause:
    left = [clause for clause in clauses if clause is not True]
    if any(clause is False for clause in left):
        return False
    return reduce(and_, left) if left else True


def _some(clauses: Iterable[Clause]) -> Clause:
    left = [clause for clause in clauses if clause is not False]
    if any(clause is True for clause in left):
        return True
    return reduce(or_, left) if left else False


def _negated(clause: Clause) -> Clause:
    return (not clause) if isinstance(clause, bool) else ~clause
