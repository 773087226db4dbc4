"""Pages for Prometheus, letter by letter."""

import math

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pilothouse.kubelet.server.exposition import Family, go_number, labels, page


@pytest.mark.parametrize(("value", "expected"), [
    (0, "0"), (1, "1"), (-5, "-5"), (1.5, "1.5"), (10.0, "10"), (0.5, "0.5"), (123.456, "123.456"), (-0.25, "-0.25"),
    (999_999, "999999"), (1_000_000, "1e+06"), (1_048_576, "1.048576e+06"), (5_726_208, "5.726208e+06"),
    (100_000.5, "100000.5"), (1_733_656_317.535, "1.733656317535e+09"), (0.0001, "0.0001"), (0.00001, "1e-05"),
    (2.5e-7, "2.5e-07"), (1e21, "1e+21"), (9_223_372_036_854_771_712, "9.223372036854772e+18"),
])  # fmt: skip
def test_numbers_are_written_as_go_does(value: float, expected: str) -> None:
    assert go_number(value) == expected
    assert math.isclose(float(expected), value)


def test_families_and_samples_are_in_order() -> None:
    one, other, silent = Family("b_total", "counter", "Bs."), Family("a", "gauge", "As."), Family("c", "gauge", "Cs.")
    one.add(2, labels({"pod": "z"}, ("container", "x")), 1.2345)
    one.add(1.5, labels({"pod": "a", "container": "x"}))
    other.add(0)
    assert page([one, silent, other]).decode() == (
        "# HELP a As.\n# TYPE a gauge\na 0\n"
        "# HELP b_total Bs.\n# TYPE b_total counter\n"
        'b_total{container="x",pod="a"} 1.5\nb_total{container="x",pod="z"} 2 1234\n'
    )


def test_readers_understand_it() -> None:
    family = Family("a", "gauge", "As.")
    family.add(1e6, labels({"name": 'quoted "\\" and\nbroken'}), 2.5)
    (read,) = text_string_to_metric_families(page([family]).decode())
    assert (read.samples[0].labels, read.samples[0].value, read.samples[0].timestamp) == (
        {"name": 'quoted "\\" and\nbroken'}, 1e6, 2.5,
    )  # fmt: skip
