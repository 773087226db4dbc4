"""What CEL costs: microseconds to compile and to evaluate expressions as policies have them.

python benchmarks/cel.py
"""

import timeit

from pilothouse.api.machinery.cel.budget import Budget
from pilothouse.api.machinery.cel.environment import Environment
from pilothouse.api.machinery.cel.program import compile_expression
from pilothouse.api.machinery.cel.types import DYN

EXPRESSIONS = (
    "object.spec.replicas <= 5",
    "has(object.metadata.labels) && 'team' in object.metadata.labels",
    "object.spec.containers.all(c, c.image.startsWith('registry.example.com/') && !has(c.securityContext.privileged))",
    "object.spec.containers.exists(c, c.name.matches('^side.*$'))",
    "object.metadata.name.size() < 63 && object.spec.?template.?spec.?hostNetwork.orValue(false) == false",
    "object.spec.containers.map(c, quantity(c.memory)).all(q, q.isLessThan(quantity('2Gi')))",
)
POD = {
    "metadata": {"name": "web-0", "labels": {"team": "a", "app": "web"}},
    "spec": {
        "replicas": 3,
        "containers": [
            {"name": name, "image": f"registry.example.com/{name}:1", "memory": "512Mi", "securityContext": {}}
            for name in ("web", "sidecar", "log")
        ],
    },
}


def microseconds(number: int, run: object) -> float:
    """The best of five rounds, per call."""
    return min(timeit.repeat(run, number=number, repeat=5)) / number * 1e6  # type: ignore[arg-type]


def main() -> None:
    """Prints a line an expression."""
    environment = Environment({"object": DYN})
    values = {"object": POD}
    print(f"{'compile':>9}{'evaluate':>10}{'cost':>6}  expression")
    for text in EXPRESSIONS:
        program = compile_expression(text, environment)
        budget = Budget()
        program.evaluate(values, budget)
        compiling = microseconds(100, lambda text=text: compile_expression(text, environment))
        evaluating = microseconds(2000, lambda program=program: program.evaluate(values, Budget(10**12)))
        print(f"{compiling:9.1f}{evaluating:10.2f}{budget.used:6}  {text}")


if __name__ == "__main__":
    main()
