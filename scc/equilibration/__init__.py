"""The equilibration map r ↦ v̂*(r): solvers, results, stability and response."""

from scc.equilibration.equilibrate import equilibrate
from scc.equilibration.equilibrium import Equilibrium
from scc.equilibration.projected_equilibrium import ProjectedEquilibrium
from scc.equilibration.response import LinearResponse
from scc.equilibration.solvers import Anderson, Damped, LinearSolve, NewtonKrylov, solver_by_name

__all__ = [
    "Anderson",
    "Damped",
    "Equilibrium",
    "LinearResponse",
    "LinearSolve",
    "NewtonKrylov",
    "ProjectedEquilibrium",
    "equilibrate",
    "solver_by_name",
]
