"""The language as a whole: what expressions give, and with what words they fail."""

import subprocess
import sys
from typing import Any

import pytest

from fakes.cel_expressions import PLAIN, evaluated
from pilothouse.api.machinery.cel.budget import Budget
from pilothouse.api.machinery.cel.environment import Environment
from pilothouse.api.machinery.cel.errors import BudgetExceeded, CompileError, EvaluationError
from pilothouse.api.machinery.cel.program import compile_expression
from pilothouse.api.machinery.cel.types import BOOL, DYN, INT, NULL, STRING, list_of, object_of
from pilothouse.api.machinery.cel.values import NONE, Duration, Lazy, Optional, Timestamp, Uint

UNDECLARED = "undeclared reference to 'foo' (in container '')"
OBJECT = {
    "spec": {"replicas": 3, "paused": None, "ratio": 0.5, "names": ["a", "b"], "ports": [{"n": 1}, {"n": 2}]},
    "metadata": {"labels": {"a/b": "c"}},
}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("object.spec.replicas <= 5", True),
        ("object.spec.replicas == 3.0 || false", True),
        ("object.metadata.labels['a/b']", "c"),
        ("object.spec.names[1]", "b"),
        ("object.spec.names[1.0]", "b"),
        ("object.spec.paused == null", True),
        ("has(object.spec.paused)", True),
        ("has(object.spec.missing)", False),
        ("has(object.spec.replicas.missing)", False),
        ("'a/b' in object.metadata.labels", True),
        ("'x' in object.spec.names", False),
        ("object.spec.ports.all(p, p.n > 0)", True),
        ("object.spec.ports.exists(p, p.n == 2)", True),
        ("object.spec.ports.exists_one(p, p.n > 0)", False),
        ("object.spec.ports.map(p, p.n * 2)", [2, 4]),
        ("object.spec.ports.map(p, p.n > 1, p.n * 2)", [4]),
        ("object.spec.names.filter(n, n != 'a')", ["b"]),
        ("object.metadata.labels.map(k, k)", ["a/b"]),
        ("object.spec.names.all(i, n, i < 2 && n != '')", True),
        ("object.spec.names.exists(i, n, i == 1 && n == 'b')", True),
        ("object.spec.names.existsOne(i, n, n == 'b')", True),
        ("object.spec.names.transformList(i, n, n + string(i))", ["a0", "b1"]),
        ("object.spec.names.transformList(i, n, i > 0, n)", ["b"]),
        ("object.metadata.labels.transformMap(k, v, v + '!')", {"a/b": "c!"}),
        ("object.metadata.labels.transformMapEntry(k, v, {v: k})", {"c": "a/b"}),
        ("object.spec.replicas > 2 ? 'many' : 'few'", "many"),
        ("object.?spec.replicas.orValue(0)", 3),
        ("object.?nothing.replicas.orValue(0)", 0),
        ("object.spec.?names[5].orValue('none')", "none"),
        ("object.spec.names[?0]", Optional("a")),
        ("object.spec.?replicas.optMap(r, r + 1)", Optional(4)),
        ("object.spec.?missing.optMap(r, r + 1)", NONE),
        ("object.spec.?names.optFlatMap(n, n[?7])", NONE),
        ("[?object.spec.?missing, ?object.spec.?replicas, object.spec.replicas]", [3, 3]),
        ("{?'a': object.spec.?missing, 'b': object.spec.ratio}", {"b": 0.5}),
        ("cel.bind(n, object.spec.names, n + n).size()", 4),
        ("[1].map(x, cel.bind(y, x + 1, [5].map(x, y + x)))", [[7]]),
        ("type(object.spec.replicas) == int", True),
        ("type(object.spec) == map", True),
        ("type(type(1)) == type", True),
        ("1 + 2 * 3 - 4 / 2 % 3", 5),
        ("-7 / 2", -3),
        ("-7 % 2", -1),
        ("7u / 2u", Uint(3)),
        ("!false && !!true", True),
        ("'a' + 'b' == \"ab\"", True),
        ("b'ab' + b'c'", b"abc"),
        ("[1] + [2]", [1, 2]),
        ("'é'.size() == 1 && bytes('é').size() == 2", True),
        ("duration('90s') == duration('1m30s')", True),
        ("timestamp('2024-01-01T00:00:00Z') + duration('1h')", Timestamp(1704070800 * 10**9)),
        ("timestamp('2024-01-01T00:00:01Z') - timestamp('2024-01-01T00:00:00Z')", Duration(10**9)),
        ("1 < 1.5 && 2u > 1 && 1.0 <= 1u", True),
        ("dyn(1) == dyn(1.0) && dyn(1u) == dyn(1)", True),
        ("dyn(true) == dyn(1)", False),
        ("dyn('a') == dyn(1)", False),
        ("dyn([1, 2]) == dyn([1.0, 2.0])", True),
        ("dyn({'a': 1}) == dyn({'a': 1.0})", True),
        ("{1: 'a'}[1] + dyn({1: 'b'})[1u]", "ab"),
        ("dyn(true) in dyn([1])", False),
        ("(1 / 0 > 0) || true", True),
        ("true || (1 / 0 > 0)", True),
        ("(1 / 0 > 0) && false", False),
        ("[0, 1].exists(x, 1 / x == 1)", True),
        ("[0, 1].all(x, 1 / x == 2)", False),
        ("Object{spec: Object.spec{replicas: 3}}", {"spec": {"replicas": 3}}),
        ("[JSONPatch{op: 'add', path: '/x', value: {'a': 1}}][0].value.a", 1),
    ],
)
def test_results(text: str, result: Any) -> None:
    found = evaluated(text, object=OBJECT)
    assert found == result
    assert type(found) is type(result) or isinstance(found, dict)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("object.spec.missing", "no such key: missing"),
        ("object.spec.replicas.missing", "no such key: missing"),
        ("object.metadata.labels['x']", "no such key: x"),
        ("has(object.none.x)", "no such key: none"),
        ("object.spec.names[2]", "index out of bounds: 2"),
        ("object.spec.names[0.5]", "unsupported index value 0.5 in list"),
        ("object.spec.names[0.0 / 0.0]", "unsupported index value NaN in list"),
        ("object.spec.names['a']", "unsupported index type 'string' in list"),
        ("object.spec.names.a", "unsupported index type 'string' in list"),
        ("1 / 0", "division by zero"),
        ("1 % 0", "modulus by zero"),
        ("9223372036854775807 + 1", "integer overflow"),
        ("-9223372036854775808 - 1", "integer overflow"),
        ("9223372036854775807 * 2", "integer overflow"),
        ("-(-9223372036854775808)", "integer overflow"),
        ("0u - 1u", "unsigned integer overflow"),
        ("timestamp('9999-12-31T23:59:59Z') + duration('1s')", "timestamp overflow"),
        ("dyn('a') + object.spec.replicas", "no such overload"),
        ("dyn({}) + 1 == 1", "no such overload: _+_"),
        ("object.spec.replicas.startsWith('a')", "no such overload: startsWith(int, string)"),
        ("!object.spec.replicas", "no such overload"),
        ("object.spec.replicas && true", "no such overload"),
        ("object.spec.replicas < 'a'", "no such overload"),
        ("object.spec < dyn(1)", "no such overload: _<_"),
        ("object.spec.replicas.all(x, true)", "got 'types.Int', expected iterable type"),
        ("object.spec.names.filter(n, n)", "no such overload"),
        ("(1 / 0 > 0) || false", "division by zero"),
        ("[0, 1].all(x, 1 / x == 1)", "division by zero"),
        ("other", "no such attribute(s): other"),
        ("optional.none().value()", "optional.none() dereference"),
        ("[1, 1].transformMapEntry(i, v, {v: i})", "insert failed: key 1 already exists"),
        ("int(object.spec.names[0])", "type conversion error from 'string' to 'int'"),
        ("int(1e30 * 1.0)", "integer overflow"),
    ],
)
def test_failures(text: str, error: str) -> None:
    assert evaluated(text, {"other": DYN}, object=OBJECT) == f"error: {error}"


@pytest.mark.parametrize(
    ("text", "returns", "detail"),
    [
        ("1", (BOOL,), "must evaluate to bool but got int"),
        ("object", (BOOL,), "must evaluate to bool but got dyn"),
        ("[1]", (STRING, NULL), "must evaluate to one of [string null_type] but got list(int)"),
        ("duration('1s')", (STRING,), "must evaluate to string but got google.protobuf.Duration"),
        ("foo", (BOOL,), f"compilation failed: ERROR: <input>:1:1: {UNDECLARED}\n | foo\n | ^"),
        ("int('x')", (INT,), "program instantiation failed: type conversion error from 'string' to 'int'"),
        ("'a'.find('[')", None, "program instantiation failed: error parsing regexp: missing closing ]: `[`"),
    ],
)  # fmt: skip
def test_what_does_not_compile(text: str, returns: Any, detail: str) -> None:
    with pytest.raises(CompileError) as caught:
        compile_expression(text, PLAIN, returns)
    assert caught.value.detail == detail


def test_any_type_is_right_where_dyn_is_wanted() -> None:
    assert compile_expression("[1]", PLAIN, (DYN,)).result == list_of(INT)


def test_a_lazy_variable_is_worked_out_once_and_only_where_it_is_used() -> None:
    worked_out: list[int] = []
    environment = Environment({"variables": object_of("v", {"a": INT}), "b": BOOL})

    def compute() -> object:
        worked_out.append(1)
        return {"a": 1}

    program = compile_expression("b && variables.a == 1 && variables.a < 2", environment)
    lazy = Lazy(compute)
    assert program.evaluate({"variables": lazy, "b": False}, Budget()) is False
    assert worked_out == []
    assert program.evaluate({"variables": lazy, "b": True}, Budget()) is True
    assert worked_out == [1]


def test_a_dotted_variable_comes_before_a_field() -> None:
    environment = Environment({"a": object_of("a", {"b": STRING}), "a.b": INT})
    program = compile_expression("a.b + 1", environment)
    assert program.evaluate({"a.b": 1, "a": {"b": "x"}}, Budget()) == 2


def test_what_is_bound_and_not_used_is_not_worked_out() -> None:
    assert evaluated("cel.bind(x, 1 / 0, true)") is True


def test_one_call_costs_at_most_so_much() -> None:
    text = "[object, object, object].all(a, object.all(b, object.all(c, c >= 0)))"
    program = compile_expression(text, PLAIN)
    budget = Budget(10**9, per_call=1000)
    with pytest.raises(EvaluationError, match=r"^operation cancelled: actual cost limit exceeded$"):
        program.evaluate({"object": list(range(40))}, budget)
    assert 1000 < budget.used < 1020


def test_no_or_recovers_from_the_limit() -> None:
    program = compile_expression("object.all(b, b >= 0) || true", PLAIN)
    with pytest.raises(EvaluationError, match="operation cancelled"):
        program.evaluate({"object": list(range(40))}, Budget(per_call=50))


def test_expressions_share_a_budget() -> None:
    program = compile_expression("object.all(b, b >= 0)", PLAIN)
    budget = Budget(limit=100)
    program.evaluate({"object": list(range(10))}, budget)
    with pytest.raises(BudgetExceeded, match=r"^validation failed due to running out of cost budget"):
        program.evaluate({"object": list(range(10))}, budget)
    assert budget.left < 0


@pytest.mark.parametrize(
    "text", ["(" * 400 + "1" + ")" * 400, "+".join(["1"] * 5000), "!" + "(-" * 300 + "1" + ")" * 300]
)
def test_what_is_nested_too_deeply_is_told(text: str) -> None:
    with pytest.raises(CompileError, match="recursion limit exceeded"):
        compile_expression(text, PLAIN)


def test_a_text_may_have_so_many_characters() -> None:
    with pytest.raises(CompileError, match=r"^ERROR: <input>:-1:0: expression code point size exceeds limit"):
        compile_expression("1" + " " * 100_000, PLAIN)


def test_a_long_chain_of_ands_is_not_deep() -> None:
    assert evaluated(" && ".join(["object"] * 500), object=True) is True


def test_a_server_without_an_expression_does_not_load_the_language() -> None:
    code = (
        "import sys, pilothouse.apiserver.main; from pilothouse.api.catalogue import builtin; builtin()\n"
        "sys.exit(any(name.startswith('pilothouse.api.machinery.cel.library.') for name in sys.modules)"
        " or 'pilothouse.api.machinery.cel.compiler' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
