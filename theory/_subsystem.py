"""A part of a system, its Hamiltonian assembled anew from those atoms and their v̂ alone."""

from collections.abc import Sequence

from scc.basis.shells import BasisSet
from scc.errors import InputError
from scc.models.assembly import HamiltonianAssembly
from scc.models.gaussian import GaussianAssembly
from scc.models.onsite import OnsiteAssembly
from scc.models.tight_binding import BoundTightBinding
from scc.theory.system import TightBindingSystem


def subsystem(system: TightBindingSystem, atoms: Sequence[int]) -> TightBindingSystem:
    """The atoms in the order given, at the same β and µ: the 'sub-cluster' of Theorem 5.

    Three-centre terms of absent atoms are gone; the orbitals are orthogonalised among themselves.
    Raises InputError for an assembly that is neither on-site nor Gaussian.
    """
    chosen = [int(atom) for atom in atoms]
    configuration, assembly = system.configuration.subset(chosen), system.assembly
    rebuilt: HamiltonianAssembly
    if isinstance(assembly, OnsiteAssembly):
        rebuilt = OnsiteAssembly(assembly.parameters, configuration)
    elif isinstance(assembly, GaussianAssembly):
        rebuilt = GaussianAssembly(
            configuration,
            BasisSet(configuration.positions, [assembly.basis.shells[atom] for atom in chosen]),
            assembly.features,
            "orthonormal" if assembly.loewdin is None else "loewdin",
            assembly.nuclear_charges[chosen],
            assembly.nuclear_exponent,
        )
    else:
        raise InputError(f"no sub-clusters of a {type(assembly).__name__}")
    model = BoundTightBinding(rebuilt)
    return TightBindingSystem(model, system.features[chosen], system.beta, system.mu)
