"""Random basis sets, and the same basis as a PySCF molecule for comparison with libcint."""

import numpy as np
from hypothesis import strategies as st
from pyscf import gto

from scc.basis.shells import BasisSet, Shell

# Exponents are uniform in their logarithm: the hard integrals mix tight and diffuse functions.
exponents = st.floats(np.log(0.05), np.log(80.0)).map(lambda x: float(np.exp(x)))
near = st.floats(-2.5, 2.5)
far = st.floats(-30.0, 30.0)
points = st.one_of(st.tuples(near, near, near), st.tuples(far, far, far))


@st.composite
def positions(draw, n_atoms):
    """Random points; sometimes two coincide exactly, as a nucleus and a function at it do."""
    rows = [draw(points) for _ in range(n_atoms)]
    if n_atoms > 1 and draw(st.booleans()):
        rows[-1] = rows[0]
    return np.array(rows)


@st.composite
def shells(draw, largest_l=2):
    """A contraction of one to three primitives."""
    size = draw(st.integers(1, 3))
    angular_momentum = draw(st.integers(0, largest_l))
    exponent = [draw(exponents) for _ in range(size)]
    # Positive coefficients: a contraction whose parts cancel has no scale to be accurate against.
    coefficient = [draw(st.floats(0.1, 1.0)) for _ in range(size)]
    return Shell(angular_momentum, tuple(exponent), tuple(coefficient))


@st.composite
def basis_sets(draw, largest_l=2, most_atoms=3):
    """One to ``most_atoms`` atoms with one or two shells each."""
    n_atoms = draw(st.integers(1, most_atoms))
    atoms = [draw(st.lists(shells(largest_l), min_size=1, max_size=2)) for _ in range(n_atoms)]
    return BasisSet(draw(positions(n_atoms)), atoms)


@st.composite
def matrices(draw, n_rows, n_columns):
    """Entries of order one from a drawn seed: their values matter little, their shape does."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return generator.normal(size=(n_rows, n_columns))


def pyscf_molecule(basis, charges=None):
    """The same basis for libcint; nuclear charges as given, else 1."""
    atoms = [(f"H{k}", tuple(x)) for k, x in enumerate(basis.positions)]
    table = {
        f"H{k}": [
            [s.angular_momentum, *(list(p) for p in zip(s.exponents, s.coefficients, strict=True))]
            for s in atom_shells
        ]
        for k, atom_shells in enumerate(basis.shells)
    }
    n_electrons = len(atoms)
    return gto.M(atom=atoms, basis=table, unit="B", spin=n_electrons % 2, cart=False, verbose=0)


def pyscf_order(basis):
    """Indices such that reference[order] has our order of functions.

    PySCF sorts an atom's shells by l and its p functions are x, y, z; ours are y, z, x.
    """
    order = np.empty(basis.n_functions, dtype=int)
    start = 0
    for atom_shells in basis.shells:
        ours = np.cumsum([0] + [2 * s.angular_momentum + 1 for s in atom_shells])
        theirs = start
        momenta = [s.angular_momentum for s in atom_shells]
        for k in np.argsort(momenta, kind="stable"):
            size = 2 * momenta[k] + 1
            local = np.array([1, 2, 0]) if size == 3 else np.arange(size)
            order[start + ours[k] : start + ours[k] + size] = theirs + local
            theirs += size
        start += int(ours[-1])
    return order


def reorder(array, order, axes=(-2, -1)):
    """The PySCF array with the given axes in our order of functions."""
    for axis in axes:
        array = np.take(array, order, axis=axis)
    return array


def assert_close(ours, reference, tolerance=1e-12, scale=None):
    """|ours − reference| ≤ tolerance · scale, scale the largest reference element by default."""
    scale = np.max(np.abs(reference)) if scale is None else scale
    error = np.max(np.abs(np.asarray(ours) - reference))
    assert error <= tolerance * max(scale, 1e-300), f"error {error:.3g} at scale {scale:.3g}"


def softened(basis, largest):
    """The same basis with exponents cut at ``largest``: smooth enough for finite differences."""
    return BasisSet(
        basis.positions,
        [
            [
                Shell(
                    s.angular_momentum,
                    tuple(min(a, largest) for a in s.exponents),
                    s.coefficients,
                )
                for s in atom
            ]
            for atom in basis.shells
        ],
    )
