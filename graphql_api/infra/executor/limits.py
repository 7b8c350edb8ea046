"""Limits on what a GraphQL document may cost, checked before anything executes it.

Tokens are counted before a document is parsed, which takes 0.1 ms instead of 5. Everything else is
one linear pass over the parsed document: each fragment is measured once, and its cost is reused
for every spread, so that nested fragments cannot make the check itself expensive.

The pass runs before validation, which costs more: a field that the schema does not have costs what
a plain one does, and validation refuses it afterwards.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import cache
from typing import NamedTuple, TypeAlias

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLCompositeType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    Token,
    TokenKind,
    get_named_type,
    is_composite_type,
)

from graphql_api.config import DEFAULT_LIMITS, Limits
from graphql_api.errors import QueryTooComplex

LINES = 2_000  # each error's place is found by counting them
NESTING = 60  # of any selection sets, fragments included
VALUE_NESTING = 10  # of lists and objects in a value, or lists in a type; ours have 5

META_FIELDS = {"__schema", "__type"}
# Questions about the schema are asked by tools, in documents of their own kind: what they have
# of anything does not count towards the operator's limits, but towards these.
INTROSPECTION = Limits(
    tokens=1_000, depth=25, fields=1_000, aliases=15, root_fields=10, directives=50
)

# Comments, and the lexical tokens of GraphQL (section 2.1). No part can be read in two ways, and
# what has matched is not tried again: so it takes linear time, whatever the text is.
_LEXEME = (
    r'(?>#[^\n\r]*+|"""(?:[^"\\]++|\\"""|(?!""")[\s\S])*+"""|"(?:(?:[^"\\\n\r]|\\.)++"|"(?!"))'
    r"|[_A-Za-z][_0-9A-Za-z]*+|-?[0-9][0-9.eE+-]*+|\.\.\.|[!$&():=@\[\]{|}])"
)
_IGNORED = r"[\t\n\r ,\ufeff]*+"
_META_FIELD = re.compile(r"\b__(?:schema|type)\b", re.ASCII)

_PARENTHESES = {TokenKind.PAREN_L: 1, TokenKind.PAREN_R: -1}
_BRACKETS = {
    TokenKind.BRACE_L: 1,
    TokenKind.BRACE_R: -1,
    TokenKind.BRACKET_L: 1,
    TokenKind.BRACKET_R: -1,
}


TREE_LEVELS = 3  # of relations within themselves
VALUE_SIZE = 64  # bytes of most values with their names: ids, instants, enums, numbers


class Nesting(Enum):
    """The nesting of a field: lists within lists would multiply what one request reads."""

    LOADED = auto()  # anywhere: its value comes with its parent
    LIST = auto()  # not within another list, nor within a relation
    RELATION = auto()  # within a list, where it is bounded; no list and no relation within it
    TREE = auto()  # a relation that may be within itself, TREE_LEVELS times, and have one within it


@dataclass(frozen=True, slots=True)
class FieldCost:
    """The declared cost of a field."""

    nesting: Nesting = Nesting.LOADED
    expensive: bool = False  # one of them an operation
    exclusive: bool = False  # no other root field beside it
    items: int = 1  # at most so many, each with what is selected of it
    work: int = 1  # times what a plain field takes to be computed
    size: int = VALUE_SIZE  # bytes of its value, as it can be


Costs: TypeAlias = Mapping[tuple[str, str], FieldCost]  # by type and field; others cost nothing

_PLAIN = FieldCost()
_Parent: TypeAlias = GraphQLCompositeType | None  # None: a type that the schema does not have


def check(
    document: DocumentNode, schema: GraphQLSchema, costs: Costs, limits: Limits = DEFAULT_LIMITS
) -> None:
    """Check a parsed document against all limits. Raises QueryTooComplex."""
    tokens = list(_tokens(document))
    _limit("lines", tokens[-1].line, LINES)
    _limit("levels in a value", _value_nesting(tokens), VALUE_NESTING)
    meter = _Meter(document, schema, costs)
    asks_for_data = False
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode):
            cost = meter.operation(node)
            _check_cost(cost, limits)
            asks_for_data |= cost.own.fields > 0
    directives = sum(token.kind is TokenKind.AT for token in tokens)
    _limit("directives", directives - meter.introspection_directives, limits.directives)
    _limit("introspection directives", meter.introspection_directives, INTROSPECTION.directives)
    if asks_for_data:
        check_token_count(document.token_count, limits.tokens)


class Extent(NamedTuple):
    """The size of an operation: its own, and that of the most that it can ask for."""

    fields: int  # with fragments expanded, without questions about the schema
    work: int  # in plain fields
    size: int  # of the answer, in bytes


def extent(
    document: DocumentNode, node: OperationDefinitionNode, schema: GraphQLSchema, costs: Costs
) -> Extent:
    """Measure an operation of a checked document."""
    cost = _Meter(document, schema, costs).operation(node)
    return Extent(cost.own.fields, cost.work, cost.size)


def token_limit(text: str, limits: Limits) -> int:
    """Return the number of tokens that a document may have before it is parsed."""
    return max(limits.tokens, INTROSPECTION.tokens) if _META_FIELD.search(text) else limits.tokens


def check_tokens(text: str, limit: int) -> None:
    """Count the tokens of a document as GraphQL's parser would. Raises QueryTooComplex."""
    if has_more_tokens(text, limit):
        check_token_count(limit + 1, limit)


def has_more_tokens(text: str, count: int) -> bool:
    """Compare the number of tokens of a document, up to the first that is none, with a count."""
    return _more_tokens(count).match(text) is not None


def check_token_count(count: int, limit: int) -> None:
    """Raise QueryTooComplex, in the parser's own words, if a document has too many tokens."""
    if count > limit:
        raise QueryTooComplex(f"Document contains more than {limit} tokens. Parsing aborted.")


@dataclass(frozen=True, slots=True)
class _Size:
    """The number of fields in a selection set, with its fragments expanded."""

    depth: int = 0
    fields: int = 0
    aliases: int = 0
    root_fields: int = 0

    def merge(self, other: "_Size") -> "_Size":
        return _Size(
            max(self.depth, other.depth),
            self.fields + other.fields,
            self.aliases + other.aliases,
            self.root_fields + other.root_fields,
        )

    def nest(self, node: FieldNode) -> "_Size":
        aliases = self.aliases + (node.alias is not None)
        return _Size(self.depth + 1, self.fields + 1, aliases, root_fields=1)

    def deepen(self) -> "_Size":
        """The same fields, one level further down."""
        return _Size(self.depth + 1, self.fields, self.aliases) if self.fields else self


_NOTHING = _Size()


@dataclass(frozen=True, slots=True)
class _Cost:
    """The cost of a selection set, with its fragments expanded."""

    own: _Size = _NOTHING
    introspection: _Size = _NOTHING
    expensive: int = 0
    exclusive: str = ""  # the name of such a field
    lists: int = 0  # within one another
    relations: int = 0  # within one another, and lists within them
    trees: int = 0  # within one another
    nesting: int = 0  # of selection sets, fragments included
    work: int = 0  # plain fields that take as long to compute, if all lists are full
    size: int = 0  # bytes of the values, likewise

    def merge(self, other: "_Cost") -> "_Cost":
        """The cost of both, side by side."""
        return _Cost(
            self.own.merge(other.own),
            self.introspection.merge(other.introspection),
            self.expensive + other.expensive,
            self.exclusive or other.exclusive,
            max(self.lists, other.lists),
            max(self.relations, other.relations),
            max(self.trees, other.trees),
            max(self.nesting, other.nesting),
            self.work + other.work,
            self.size + other.size,
        )

    def nest(self, node: FieldNode, field: FieldCost) -> "_Cost":
        """The cost of a field that has this selection set."""
        relations, is_tree = self.relations, field.nesting is Nesting.TREE
        if field.nesting is Nesting.RELATION:
            relations += 1 + self.lists
        elif is_tree:
            relations = max(1, relations) + self.lists
        return _Cost(
            self.own.nest(node),
            self.introspection.deepen(),
            self.expensive + field.expensive,
            node.name.value if field.exclusive else self.exclusive,
            self.lists + (field.nesting is Nesting.LIST),
            relations,
            self.trees + is_tree,
            self.nesting,
            field.work + field.items * self.work,
            field.size + field.items * self.size,
        )

    def nest_in_introspection(self, node: FieldNode) -> "_Cost":
        """The cost of a question about the schema that has this selection set."""
        asked = self.own.merge(self.introspection).nest(node)
        return _Cost(introspection=asked, nesting=self.nesting)


class _Meter:
    """Measures the operations of a document; each fragment once."""

    def __init__(self, document: DocumentNode, schema: GraphQLSchema, costs: Costs) -> None:
        self._schema = schema
        self._costs = costs
        self._fragments = {
            node.name.value: node
            for node in document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }
        self._measured: dict[str, _Cost] = {}
        self.introspection_directives = 0

    def operation(self, node: OperationDefinitionNode) -> _Cost:
        """Measure an operation."""
        return self.selections(node.selection_set, self._schema.get_root_type(node.operation), 0)

    def selections(self, selected: SelectionSetNode, parent: _Parent, level: int) -> _Cost:
        """Measure a selection set of this type."""
        _limit("levels of nesting", level, NESTING)
        cost = _Cost()
        for node in selected.selections:
            self._count_directives(node, parent)
            match node:
                case FieldNode():
                    cost = cost.merge(self._field(node, parent, level + 1))
                case InlineFragmentNode():
                    condition = node.type_condition
                    narrowed = self._type(condition.name.value) if condition else parent
                    inner = self.selections(node.selection_set, narrowed, level + 1)
                    cost = cost.merge(inner)
                case FragmentSpreadNode():
                    cost = cost.merge(self._fragment(node.name.value, level + 1))
        return replace(cost, nesting=cost.nesting + 1)

    def _field(self, node: FieldNode, parent: _Parent, level: int) -> _Cost:
        name = node.name.value
        below = _Cost()
        if node.selection_set:
            below = self.selections(node.selection_set, self._returned(parent, name), level)
        if name in META_FIELDS:
            return below.nest_in_introspection(node)
        return below.nest(node, self._costs.get((parent.name, name), _PLAIN) if parent else _PLAIN)

    def _fragment(self, name: str, level: int) -> _Cost:
        if name not in self._measured:
            self._measured[name] = _Cost()  # met by a cycle, which validation refuses by its name
            if fragment := self._fragments.get(name):
                condition = self._type(fragment.type_condition.name.value)
                self._measured[name] = self.selections(fragment.selection_set, condition, level)
        return self._measured[name]

    def _returned(self, parent: _Parent, name: str) -> _Parent:
        field = self._schema.get_field(parent, name) if parent else None
        return _composite(get_named_type(field.type)) if field else None

    def _type(self, name: str) -> _Parent:
        return _composite(self._schema.type_map.get(name))

    def _count_directives(self, node: SelectionNode, parent: _Parent) -> None:
        asks = isinstance(node, FieldNode) and node.name.value in META_FIELDS
        if node.directives and (asks or (parent and parent.name.startswith("__"))):
            self.introspection_directives += len(node.directives)


def _composite(type_: object) -> _Parent:
    return type_ if is_composite_type(type_) else None


def _check_cost(cost: _Cost, limits: Limits) -> None:
    own, asked = cost.own, cost.introspection
    _limit("levels of nesting", cost.nesting - 1, NESTING)
    _limit("levels of depth", own.depth, limits.depth)
    _limit("fields", own.fields, limits.fields)
    _limit("aliases", own.aliases, limits.aliases)
    _limit("root fields", own.root_fields, limits.root_fields)
    _limit("levels of introspection", asked.depth, INTROSPECTION.depth)
    _limit("introspection fields", asked.fields, INTROSPECTION.fields)
    _limit("introspection aliases", asked.aliases, INTROSPECTION.aliases)
    _limit("introspection root fields", asked.root_fields, INTROSPECTION.root_fields)
    if cost.lists > 1:
        raise QueryTooComplex("A list cannot contain another list.")
    if cost.relations > 1:
        raise QueryTooComplex("A relation cannot contain a list or another relation.")
    _limit("levels of a tree", cost.trees, TREE_LEVELS)
    if cost.expensive > 1:
        raise QueryTooComplex("An operation can have only one expensive field.")
    if cost.exclusive and own.root_fields + asked.root_fields > 1:
        raise QueryTooComplex(f"{cost.exclusive} must be the only root field of its operation.")


def _limit(what: str, count: int, limit: int) -> None:
    if count > limit:
        raise QueryTooComplex(f"The query has too many {what}: at most {limit} are allowed.")


@cache
def _more_tokens(count: int) -> re.Pattern[str]:
    return re.compile(f"(?>{_IGNORED}{_LEXEME}){{{count + 1}}}")


def _tokens(document: DocumentNode) -> Iterator[Token]:
    token: Token | None = document.loc.start_token if document.loc else None
    while token is not None:
        yield token
        token = token.next


def _value_nesting(tokens: Iterable[Token]) -> int:
    """The depth of nested lists and objects, which are all there is between parentheses."""
    parentheses = level = deepest = 0
    for token in tokens:
        parentheses += _PARENTHESES.get(token.kind, 0)
        if parentheses:
            level += _BRACKETS.get(token.kind, 0)
            deepest = max(deepest, level)
    return deepest
