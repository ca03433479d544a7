"""Sparse polynomial evaluation against dense diagonalisation: time, operations, memory against M.

    python benchmarks/linear_cost.py [chain|square|cubic [degree [M ...]]]

Populations, site energies and forces of model B at fixed v̂ and degree, positions to results, on the
systems of the claim linear-cost. Process time, one run each; the dense method up to 2000 atoms;
peak memory is that of the process so far, so sizes should ascend.
"""

import resource
import sys
import time

from scc.claims.linear_cost import Problem, common_occupation, systems

DENSE_UP_TO = 2000


def main(kind: str, degree: int | None, sizes: list[int]) -> None:
    """One line for each size."""
    defaults = next(s.parameters for s in systems(full=True) if s.parameters["kind"] == kind)
    p = {**defaults, "sizes": sizes or [500, 1000, 2000, *defaults["sizes"][1:5]]}
    if degree is not None:
        p["degree"] = degree
    problems = [Problem(p, atoms) for atoms in sorted(p["sizes"])]
    occupation = common_occupation(p, problems)
    print(f"{kind}, degree {p['degree']}")
    print(
        f"{'M':>8} {'sparse/s':>9} {'us/atom':>8} {'mult./atom':>10} {'dense/s':>8} {'peak/GB':>8}"
    )
    for problem in problems:
        atoms = len(problem.features)
        start = time.process_time()
        found = problem.sparse(occupation)
        seconds = time.process_time() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        dense = ""
        if atoms <= DENSE_UP_TO:
            start = time.process_time()
            problem.dense(occupation)
            dense = f"{time.process_time() - start:.2f}"
        print(f"{atoms:8d} {seconds:10.2f} {1e6 * seconds / atoms:10.1f} ", end="")
        print(f"{found.multiplications / atoms:10.0f} {dense:>10} {peak:10.2f}", flush=True)


if __name__ == "__main__":
    arguments = sys.argv[1:]
    main(
        arguments[0] if arguments else "chain",
        int(arguments[1]) if len(arguments) > 1 else None,
        [int(argument) for argument in arguments[2:]],
    )
