"""From tokens to the tree, by recursive descent; macros are expanded on the way.

The grammar is that of google/cel-spec (doc/langdef.md), with optional syntax (`?.`, `[?]`, `{?k: v}`). Upstream's
parser is made by ANTLR: the words of the first syntax error are ANTLR's for the common cases, and where upstream would
go on and find more, we stop. Chains of `&&` and `||` become balanced trees, as upstream's do.
"""

from collections.abc import Callable

from pilothouse.api.machinery.cel.environment import Environment
from pilothouse.api.machinery.cel.errors import CompileError
from pilothouse.api.machinery.cel.lexer import Token, bytes_value, string_value, tokens
from pilothouse.api.machinery.cel.macros import MacroError, expand
from pilothouse.api.machinery.cel.source import Complaints, nowhere
from pilothouse.api.machinery.cel.syntax import (
    Call,
    Entry,
    Ident,
    ListLiteral,
    Literal,
    MapLiteral,
    Node,
    Select,
    StructLiteral,
)
from pilothouse.api.machinery.cel.values import Uint

_DEEPEST = 250
"""Upstream's limit of nested expressions."""

_MOST_DIGITS = 1000
_LONGEST = 100_000
"""Upstream's limit of an expression's code points."""

_BEGINS = (
    "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"
)
_RESERVED = frozenset(("as", "break", "const", "continue", "else", "for", "function", "if", "import")) | frozenset(
    ("let", "loop", "package", "namespace", "return", "var", "void", "while")
)
_BEGINNINGS = frozenset(
    ("[", "{", "(", ".", "-", "!", "true", "false", "null", "NUM_FLOAT", "NUM_INT", "NUM_UINT", "STRING", "BYTES")
) | {"IDENTIFIER"}
_RELATIONS = frozenset(("<", "<=", ">=", ">", "==", "!=", "in"))
_OPERATORS = {sign: f"_{sign}_" for sign in ("<", "<=", ">=", ">", "==", "!=", "+", "-", "*", "/", "%", "&&", "||")} | {
    "in": "@in"
}


class _Stop(Exception):
    """A syntax error was noted: nothing more to find."""


def parse(text: str, environment: Environment, complaints: Complaints) -> Node:
    """The tree of a text. Raises CompileError where the text has none."""
    if len(text) > _LONGEST:
        raise CompileError(nowhere(f"expression code point size exceeds limit: size: {len(text)}, limit {_LONGEST}"))
    parser = _Parser(tokens(text, complaints), environment, complaints)
    try:
        node = parser.whole()
    except _Stop:
        node = Literal(0, None)
    if complaints:
        raise CompileError(complaints.display())
    return node


class _Parser:
    def __init__(self, found: list[Token], environment: Environment, complaints: Complaints) -> None:
        self.tokens = found
        self.at = 0
        self.depth = 0
        self.environment = environment
        self.complaints = complaints

    @property
    def next(self) -> Token:
        return self.tokens[self.at]

    def take(self) -> Token:
        token = self.tokens[self.at]
        self.at += 1
        return token

    def taken(self, kind: str) -> Token | None:
        return self.take() if self.next.kind == kind else None

    def stop(self, token: Token, message: str) -> _Stop:
        self.complaints.add(token.position, f"Syntax error: {message}")
        return _Stop()

    def expect(self, kind: str, expecting: str | None = None) -> Token:
        token = self.next
        if token.kind == kind:
            return self.take()
        several = expecting is not None
        expecting = expecting or (kind if kind in ("<EOF>", "IDENTIFIER") else f"'{kind}'")
        if not several and ((kind in (")", "]") and token.kind == "<EOF>") or (kind == ":" and _begins(token))):
            raise self.stop(token, f"missing '{kind}' at '{token.text}'")
        if self.at + 1 < len(self.tokens) and self.tokens[self.at + 1].kind == kind:
            raise self.stop(token, f"extraneous input '{token.text}' expecting {expecting}")
        raise self.stop(token, f"mismatched input '{token.text}' expecting {expecting}")

    def whole(self) -> Node:
        node = self.expression()
        self.expect("<EOF>")
        return node

    def expression(self) -> Node:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise CompileError(nowhere(f"expression recursion limit exceeded: {_DEEPEST}"))
        condition = self.either()
        question = self.taken("?")
        if question is not None:
            yes = self.either()
            self.expect(":")
            no = self.expression()
            condition = Call(question.position, "_?_:_", None, [condition, yes, no])
        self.depth -= 1
        return condition

    def either(self) -> Node:
        return self.chain("||", self.both)

    def both(self) -> Node:
        return self.chain("&&", lambda: self.left(_RELATIONS, self.sum))

    def chain(self, sign: str, part: Callable[[], Node]) -> Node:
        parts, signs = [part()], []
        while (token := self.taken(sign)) is not None:
            signs.append(token.position)
            parts.append(part())
        return _balanced(f"_{sign}_", parts, signs)

    def left(self, signs: frozenset[str], part: Callable[[], Node]) -> Node:
        node = part()
        while self.next.kind in signs:
            token = self.take()
            node = Call(token.position, _OPERATORS[token.kind], None, [node, part()])
        return node

    def sum(self) -> Node:
        return self.left(frozenset("+-"), lambda: self.left(frozenset("*/%"), self.unary))

    def unary(self) -> Node:
        sign = self.next
        if sign.kind not in ("!", "-"):
            return self.member()
        count = 0
        while self.taken(sign.kind) is not None:
            count += 1
        if sign.kind == "-" and count == 1 and self.next.kind in ("NUM_INT", "NUM_FLOAT"):
            return self.member(self.number(negative=sign))
        if self.next.kind in ("!", "-"):
            raise self.stop(self.next, f"extraneous input '{self.next.text}' expecting {_BEGINS}")
        operand = self.member()
        return operand if count % 2 == 0 else Call(sign.position, f"{sign.kind}_", None, [operand])

    def member(self, node: Node | None = None) -> Node:
        node = node or self.primary()
        while True:
            if (dot := self.taken(".")) is not None:
                node = self.after_dot(node, dot)
            elif (bracket := self.taken("[")) is not None:
                optional = self.taken("?") is not None
                index = self.expression()
                self.expect("]")
                node = Call(bracket.position, "_[?_]" if optional else "_[_]", None, [node, index])
            else:
                return node

    def after_dot(self, node: Node, dot: Token) -> Node:
        if self.taken("?") is not None:
            name = self.expect("IDENTIFIER")
            return Call(dot.position, "_?._", None, [node, Literal(name.position, name.text)])
        if self.next.kind != "IDENTIFIER":
            seen = "" if self.next.kind == "<EOF>" else self.next.text
            raise self.stop(self.next, f"no viable alternative at input '.{seen}'")
        name = self.take()
        parenthesis = self.taken("(")
        if parenthesis is None:
            return Select(dot.position, node, name.text)
        return self.call(parenthesis, name.text, node, self.arguments(")"))

    def call(self, at: Token, function: str, target: Node | None, arguments: list[Node]) -> Node:
        try:
            expanded = expand(at.position, function, target, arguments, self.environment.extras)
        except MacroError as error:
            self.complaints.add(error.position, str(error))
            return Literal(at.position, None)
        return expanded or Call(at.position, function, target, arguments)

    def arguments(self, end: str) -> list[Node]:
        found: list[Node] = []
        if self.taken(end) is not None:
            return found
        while True:
            found.append(self.expression())
            if self.taken(",") is None:
                self.expect(end)
                return found

    def primary(self) -> Node:
        token = self.next
        match token.kind:
            case "(":
                self.take()
                node = self.expression()
                self.expect(")")
                return node
            case "[":
                return self.list_literal(self.take())
            case "{":
                return self.map_literal(self.take())
            case "true" | "false":
                return Literal(self.take().position, token.kind == "true")
            case "null":
                return Literal(self.take().position, None)
            case "NUM_INT" | "NUM_UINT" | "NUM_FLOAT":
                return self.number()
            case "STRING" | "BYTES":
                return self.text(self.take())
            case "." | "IDENTIFIER":
                return self.name()
        return self.unexpected(token)

    def unexpected(self, token: Token) -> Node:
        """Where an expression should begin: one token too many is passed over, as ANTLR does."""
        end = token if token.kind == "<EOF>" else self.tokens[self.at + 1]
        if token is not end and _begins(end):
            self.complaints.add(token.position, f"Syntax error: extraneous input '{token.text}' expecting {_BEGINS}")
            self.take()
            return self.primary()
        if token is not end and end.kind == "<EOF>" and token.kind not in _CLOSING:
            self.stop(end, f"mismatched input '<EOF>' expecting {_BEGINS}")
        raise self.stop(token, f"mismatched input '{token.text}' expecting {_BEGINS}")

    def number(self, negative: Token | None = None) -> Node:
        token = self.take()
        sign, start = ("-", negative.position) if negative else ("", token.position)
        if token.kind == "NUM_FLOAT":
            value = float(sign + token.text)
            if value in (float("inf"), float("-inf")):
                self.complaints.add(start, "invalid double literal")
            return Literal(start, value)
        digits = token.text.rstrip("uU")
        short = digits if len(digits) < _MOST_DIGITS else "9" * 30
        whole = int(sign + short, 16 if short[:2] == "0x" else 10)
        if token.kind == "NUM_UINT":
            if whole >= 2**64:
                self.complaints.add(start, "invalid uint literal")
            return Literal(start, Uint(whole))
        if not -(2**63) <= whole < 2**63:
            self.complaints.add(start, "invalid int literal")
        return Literal(start, whole)

    def text(self, token: Token) -> Node:
        try:
            value = string_value(token.text) if token.kind == "STRING" else bytes_value(token.text)
        except ValueError:
            self.complaints.add(token.position, f"invalid {token.kind.lower()} literal")
            value = ""
        return Literal(token.position, value)

    def name(self) -> Node:
        dot = self.taken(".")
        if dot is not None and self.next.kind == ".":
            raise self.stop(self.next, "no viable alternative at input '..'")
        token = self.expect("IDENTIFIER")
        if token.text in _RESERVED:
            self.complaints.add(token.position, f"reserved identifier: {token.text}")
        name = f".{token.text}" if dot else token.text
        if (parenthesis := self.taken("(")) is not None:
            return self.call(parenthesis, name, None, self.arguments(")"))
        ahead = self.at
        long = name
        while self.tokens[ahead].kind == "." and self.tokens[ahead + 1].kind == "IDENTIFIER":
            long += f".{self.tokens[ahead + 1].text}"
            ahead += 2
        if self.tokens[ahead].kind == "{":
            self.at = ahead
            return self.struct_literal(self.take(), long)
        return Ident(token.position, name)

    def list_literal(self, bracket: Token) -> Node:
        elements: list[Node] = []
        optional: set[int] = set()
        while self.taken("]") is None:
            if self.taken("?") is not None:
                optional.add(len(elements))
            elements.append(self.expression())
            if self.taken(",") is None:
                self.expect("]", "{']', ','}")
                break
        return ListLiteral(bracket.position, elements, frozenset(optional))

    def map_literal(self, brace: Token) -> Node:
        return MapLiteral(brace.position, self.entries(self.expression))

    def struct_literal(self, brace: Token, name: str) -> Node:
        def key() -> Node:
            token = self.expect("IDENTIFIER")
            return Literal(token.position, token.text)

        return StructLiteral(brace.position, name, self.entries(key))

    def entries(self, key: Callable[[], Node]) -> list[Entry]:
        found: list[Entry] = []
        while self.taken("}") is None:
            optional = self.taken("?") is not None
            name = key()
            colon = self.expect(":")
            found.append(Entry(colon.position, name, self.expression(), optional))
            if self.taken(",") is None:
                self.expect("}", "{'}', ','}")
                break
        return found


_CLOSING = frozenset(")]}:,")


def _begins(token: Token) -> bool:
    """Whether an expression may begin with the token."""
    return token.kind in _BEGINNINGS


def _balanced(function: str, parts: list[Node], signs: list[int]) -> Node:
    """The chain as a tree of the least depth."""
    if not signs:
        return parts[0]
    middle = len(signs) // 2
    left = _balanced(function, parts[: middle + 1], signs[:middle])
    right = _balanced(function, parts[middle + 1 :], signs[middle + 1 :])
    return Call(signs[middle], function, None, [left, right])
