"""What an environment has: variables, types' names, libraries."""

import pytest

from pilothouse.api.machinery.cel.budget import Budget
from pilothouse.api.machinery.cel.environment import Environment, Extra
from pilothouse.api.machinery.cel.errors import CompileError
from pilothouse.api.machinery.cel.program import compile_expression
from pilothouse.api.machinery.cel.types import BOOL, INT, STRING, URL, type_of


def test_some_libraries_are_only_in_some() -> None:
    plain = Environment({})
    for text, extra in (("cel.bind(x, 1, x)", Extra.BINDINGS), ("jsonpatch.escapeKey('a')", Extra.JSON_PATCH)):
        with pytest.raises(CompileError, match="undeclared reference"):
            compile_expression(text, plain)
        compile_expression(text, Environment({}, extras={extra}))


def test_an_extended_one_has_more_variables_and_the_rest() -> None:
    environment = Environment({"a": INT}, extras={Extra.BINDINGS}).extended({"b": STRING})
    assert compile_expression("cel.bind(x, a, string(x) + b)", environment).result == STRING


def test_types_names_are_values_that_variables_hide() -> None:
    environment = Environment({"int": BOOL})
    assert environment.variable("int") == BOOL
    assert environment.variable("kubernetes.URL") == type_of(URL)
    assert compile_expression("int", environment).evaluate({"int": True}, Budget()) is True
    assert compile_expression("type('a') == string", environment).evaluate({}, Budget()) is True


def test_a_function_of_several_libraries_has_all_their_overloads() -> None:
    identities = {overload.id for overload in Environment({}).overloads("isLessThan")}
    assert identities == {"quantity_is_less_than", "semver_is_less_than"}
