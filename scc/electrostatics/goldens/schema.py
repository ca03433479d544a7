"""What stands in a golden file, for readers who have neither scc nor its conventions."""

README = r"""# Reference values of electrostatics

One JSON file a system, written by `scc goldens`. Every number is a JSON decimal with up to 25
significant digits (more than a double holds: parse as decimals if you need them all). They come
from ball arithmetic with 67 digits, so rounding is bounded rigorously; lattice sums are computed
with two Ewald splittings that must agree to 1e-28 of the largest number of the array (or of the
energy scale max|p| max|V|, where symmetry makes a whole array zero). The inputs (positions, widths,
multipoles, cells) are short binary fractions: a double holds them exactly.

## Units

Hartree atomic units: lengths in bohr, charges in e, energies in hartree, Coulomb's constant one.
Forces are in hartree/bohr, stress in hartree/bohr^3 (slab: hartree/bohr^2), potentials and features
of degree l in hartree/(e bohr^l). Without screening all scales: lengths in another unit L give
energies in e^2/L.

## Density

    n(x) = sum_a sum_lm p_a,lm phi_lm(x - r_a; sigma_a)
    phi_lm(x; sigma) = R_lm(x) sigma^(-2l)/(2l-1)!! (2 pi sigma^2)^(-3/2) exp(-x^2/(2 sigma^2))

so that phi_lm has unit multipole moment: the integral of phi_lm R_l'm' is 1 for the same (l, m),
else 0. R are real solid harmonics in Racah normalisation (R_00 = 1; sum_m R_lm^2 = r^(2l)) without
Condon-Shortley phase. Component lm stands at index l^2 + l + m, that is

    l = 0: 1
    l = 1: y, z, x
    l = 2: sqrt(3) xy, sqrt(3) yz, (3 z^2 - r^2)/2, sqrt(3) xz, sqrt(3)/2 (x^2 - y^2)

and so on: m < 0 is the sine type, m > 0 the cosine type. A dipole d has p = (d_y, d_z, d_x).
sigma (`widths`) is the standard deviation of the density (not of the potential, not sqrt(2) sigma).
sigma = 0 is a point multipole; its potential is R_lm(x - r)/|x - r|^(2l+1).

## Interaction

- boundary.kind "open": 1/r, or exp(-kappa r)/r with kappa = boundary.screening > 0.
- boundary.kind "periodic": all images. Potentials have ZERO CELL AVERAGE (k = 0 is left out) for
  every width, so a charged cell has a uniform neutralising background, which is included in energy,
  potential and stress. With boundary.screening = kappa > 0: 4 pi/(k^2 + kappa^2) for all k, k = 0
  included, and no background.
- boundary.kind "slab": images along the first two cell vectors, which lie in the xy plane; the
  third has no meaning. Potentials have mean zero of the values far above and far below (the slab is
  neutral).

Cell vectors are the rows of boundary.cell, V is the volume. boundary.surface_permittivity = e is
null (tin foil, or no surface) or adds 2 pi M^2/((2e+1) V) to the energy, M = sum_a (q_a r_a + d_a)
with positions as given. external.field = F: a charge q has the additional energy -q F.x (force qF).
external.charges are fixed point charges.

## Results

- energy: 1/2 sum p V of the system itself, plus external_energy.
- external_energy: sum p V of the field and the external charges (not these with one another).
- self_energy: the part of energy that sites of width > 0 have with themselves (images not counted).
  Subtract it if your code leaves self-interaction out. That of points is left out of everything.
- potential: V_a,lm = d energy/d p_a,lm. A Gaussian's own contribution is in it,
  b^l 2 sqrt(a/pi)/((2l+1)(2l-1)!!) p_lm with b = 2a, a = 1/(4 sigma^2), for kappa = 0.
- features: the integral of V(x) phi_lm(x - r_a; width) for all sites a; without what site a itself
  (not its images) contributes where self_interaction is false.
- potential_at: V at points, of all sites.
- forces: -d energy/d r_a at fixed multipole components.
- strain_derivative: d energy/d e_ij at x -> (1 + e) x of sites and cell, multipole components and
  widths fixed; all nine entries (it is not symmetric if there are dipoles or higher multipoles).
- stress: strain_derivative/V (slab: /area). Positive means that the energy grows with the cell: the
  pressure is minus a third of the trace. null in open boundaries. Both are null with anything
  external.
- madelung: positive; its convention is beside it.

Rows of multipoles, potential, features and forces belong to sites.

## If your code has other conventions

- Ewald sum of points plus a short-ranged correction for Gaussians, whose cell average is not taken
  off: V_here = V_yours + (2 pi/V) sum_k q_k (sigma_a^2 + sigma_k^2) for l = 0 and
  E_here = E_yours + (2 pi/V) Q sum_k q_k sigma_k^2, Q = sum q. The energy of a neutral cell is the
  same, its potentials are not. (At a point in space sigma_a = 0.)
- Ewald sum without the background term of a charged cell: E_here = E_yours - pi Q^2/(2 V alpha^2)
  with exp(-k^2/(4 alpha^2)) in reciprocal space.
- Gaussians written otherwise: here two sites of charges interact through
  erf(r/sqrt(2 (sigma_a^2 + sigma_b^2)))/r.
- Moments taken with orthonormal harmonics r^l Y_lm: multiply them by sqrt(4 pi/(2l+1)).
- Traceless quadrupoles Theta_zz = sum q (3 z^2 - r^2)/2: p_2,0 = Theta_zz, p_2,1 = 2/sqrt(3)
  Theta_xz, p_2,-1 = 2/sqrt(3) Theta_yz, p_2,-2 = 2/sqrt(3) Theta_xy,
  p_2,2 = (Theta_xx - Theta_yy)/sqrt(3).
- eV and angstrom: multiply energies by 27.211386245988, lengths by 0.529177210903 (CODATA 2018).
"""
