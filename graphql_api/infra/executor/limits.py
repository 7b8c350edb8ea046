"""The document guard: refuses what would cost too much, before anything else looks at it.

Tokens are counted before a document is parsed, which takes 0.1 ms instead of 5. All else is
one linear pass over the parsed document. Each fragment is measured once and its measure is
reused for every spread, so that nested fragments cannot make the guard itself expensive.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    Token,
    TokenKind,
)

from graphql_api.config import DEFAULT_LIMITS, Limits
from graphql_api.errors import QueryTooComplex

LINES = 2_000  # each error's place is found by counting them
NESTING = 60  # of any selection sets, fragments included
VALUE_NESTING = 10  # of lists and objects in a value, or lists in a type; ours have 5

# Questions about the schema are nested deeper and asked by tools.
INTROSPECTION_DEPTH = 25
INTROSPECTION_FIELDS = 1_000
INTROSPECTION = {"__schema", "__type"}

# What ends sessions ends the one that is asking: nothing may come after it.
ALONE = {"logout", "logoutEverywhere", "changePassword", "deleteAccount"}

# Within one another they would multiply what is read.
LISTS = {"tasks", "sessions", "settings", "results", "planPreview"}

# Within one another, or with lists within them, they would, too; within a list they are bounded.
LINKS = {"blockedBy", "blocks"}

# Each of these costs an Argon2 hash, a plan, or a hundred writes and more: one a request.
COSTLY = {
    *("register", "login", "changePassword", "deleteAccount"),
    *("createTasks", "updateTasks", "deleteTasks"),
    *("planPreview", "planApply", "planUndo"),
}

# Comments, and the lexical tokens of GraphQL (section 2.1). No part can be read in two ways, and
# what has matched is not tried again: so it takes linear time, whatever the text is.
_LEXEME = (
    r'(?>#[^\n\r]*+|"""(?:[^"\\]++|\\"""|(?!""")[\s\S])*+"""|"(?:(?:[^"\\\n\r]|\\.)++"|"(?!"))'
    r"|[_A-Za-z][_0-9A-Za-z]*+|-?[0-9][0-9.eE+-]*+|\.\.\.|[!$&():=@\[\]{|}])"
)
_IGNORED = r"[\t\n\r ,\ufeff]*+"

_PARENTHESES = {TokenKind.PAREN_L: 1, TokenKind.PAREN_R: -1}
_BRACKETS = {
    TokenKind.BRACE_L: 1,
    TokenKind.BRACE_R: -1,
    TokenKind.BRACKET_L: 1,
    TokenKind.BRACKET_R: -1,
}


def check(document: DocumentNode, most: Limits = DEFAULT_LIMITS) -> None:
    """Raise QueryTooComplex if any operation of the document exceeds a limit."""
    tokens = list(_tokens(document))
    _limit("lines", tokens[-1].line, LINES)
    _limit("directives", sum(token.kind is TokenKind.AT for token in tokens), most.directives)
    _limit("levels in a value", _value_nesting(tokens), VALUE_NESTING)
    fragments = {
        node.name.value: node
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }
    measured: dict[str, _Size] = {}
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode):
            _check_operation(node, fragments, measured, most)


@dataclass(frozen=True, slots=True)
class _Size:
    """How much a selection set asks for, with its fragments expanded."""

    depth: int = 0
    fields: int = 0
    aliases: int = 0
    schema_depth: int = 0
    schema_fields: int = 0
    roots: int = 0
    costly: int = 0
    alone: int = 0
    lists: int = 0  # within one another
    links: int = 0  # within one another, or lists within them
    nesting: int = 0  # of selection sets, fragments included

    def beside(self, other: "_Size") -> "_Size":
        return _Size(
            max(self.depth, other.depth),
            self.fields + other.fields,
            self.aliases + other.aliases,
            max(self.schema_depth, other.schema_depth),
            self.schema_fields + other.schema_fields,
            self.roots + other.roots,
            self.costly + other.costly,
            self.alone + other.alone,
            max(self.lists, other.lists),
            max(self.links, other.links),
            max(self.nesting, other.nesting),
        )

    def under(self, field: FieldNode) -> "_Size":
        """The size of a field with this below it."""
        name = field.name.value
        aliases = self.aliases + (field.alias is not None)
        depth, fields = self.depth + 1, self.fields + 1
        if name in INTROSPECTION:
            return _Size(
                aliases=aliases,
                schema_depth=max(depth, self.schema_depth + 1),
                schema_fields=fields + self.schema_fields,
                roots=1,
                nesting=self.nesting,
            )
        return _Size(
            depth,
            fields,
            aliases,
            self.schema_depth and self.schema_depth + 1,
            self.schema_fields,
            roots=1,
            costly=name in COSTLY,
            alone=name in ALONE,
            lists=self.lists + (name in LISTS),
            links=self.links if name not in LINKS else 1 + self.links + self.lists,
            nesting=self.nesting,
        )


def _check_operation(
    operation: OperationDefinitionNode,
    fragments: dict[str, FragmentDefinitionNode],
    measured: dict[str, _Size],
    most: Limits,
) -> None:
    size = _measure(operation.selection_set, fragments, measured)
    _limit("levels of nesting", size.nesting - 1, NESTING)
    _limit("levels of depth", size.depth, most.depth)
    _limit("fields", size.fields, most.fields)
    _limit("aliases", size.aliases, most.aliases)
    _limit("levels of introspection", size.schema_depth, INTROSPECTION_DEPTH)
    _limit("introspection fields", size.schema_fields, INTROSPECTION_FIELDS)
    _limit("lists within lists", size.lists, 1)
    _limit("lists within a task's dependencies", size.links, 1)
    _limit("root fields", size.roots, most.root_fields)
    _limit("fields that check a password, plan or write in bulk", size.costly, 1)
    if size.alone:
        _limit("fields beside one that ends sessions", size.roots - 1, 0)


def _limit(what: str, count: int, most: int) -> None:
    if count > most:
        raise QueryTooComplex(f"The query has too many {what}: at most {most} are allowed.")


def _measure(
    selected: SelectionSetNode,
    fragments: dict[str, FragmentDefinitionNode],
    measured: dict[str, _Size],
    level: int = 0,
) -> _Size:
    """The size of a selection set; fragments are in `measured` once they were measured."""
    _limit("levels of nesting", level, NESTING)
    size = _Size()
    for node in selected.selections:
        match node:
            case FieldNode(selection_set=SelectionSetNode() as inner):
                below = _measure(inner, fragments, measured, level + 1).under(node)
            case FieldNode():
                below = _Size().under(node)
            case InlineFragmentNode():
                below = _measure(node.selection_set, fragments, measured, level + 1)
            case FragmentSpreadNode():
                below = _measure_fragment(node.name.value, fragments, measured, level + 1)
        size = size.beside(below)
    return replace(size, nesting=size.nesting + 1)


def _measure_fragment(
    name: str,
    fragments: dict[str, FragmentDefinitionNode],
    measured: dict[str, _Size],
    level: int,
) -> _Size:
    if name not in measured:
        measured[name] = _Size()  # what a cycle meets; validation refuses it by name
        if name in fragments:
            measured[name] = _measure(fragments[name].selection_set, fragments, measured, level)
    return measured[name]


def check_tokens(text: str, most: int) -> None:
    """Raise QueryTooComplex if a document has more tokens than that, as GraphQL's parser would."""
    if has_more_tokens(text, most):
        raise QueryTooComplex(f"Document contains more than {most} tokens. Parsing aborted.")


def has_more_tokens(text: str, count: int) -> bool:
    """Whether a document has more tokens than that, up to what is no token."""
    return _more_tokens(count).match(text) is not None


@cache
def _more_tokens(most: int) -> re.Pattern[str]:
    return re.compile(f"(?>{_IGNORED}{_LEXEME}){{{most + 1}}}")


def _tokens(document: DocumentNode) -> Iterator[Token]:
    token: Token | None = document.loc.start_token if document.loc else None
    while token is not None:
        yield token
        token = token.next


def _value_nesting(tokens: Iterable[Token]) -> int:
    """How deep lists and objects are nested, which are all there is between parentheses."""
    parentheses = level = deepest = 0
    for token in tokens:
        parentheses += _PARENTHESES.get(token.kind, 0)
        if parentheses:
            level += _BRACKETS.get(token.kind, 0)
            deepest = max(deepest, level)
    return deepest
