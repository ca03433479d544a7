"""Bilinear forms between multipoles: as matrices, and the size that their rounding has."""

import numpy as np


def dense(interaction, n_sources, n_components):
    """K as a matrix (N_t n_t, N_s n_s), a column for each unit multipole."""
    columns = []
    for index in range(n_sources * n_components):
        unit = np.zeros(n_sources * n_components)
        unit[index] = 1.0
        columns.append(interaction.potential(unit.reshape(n_sources, n_components)).ravel())
    return np.array(columns).T


def uncancelled(apply, coefficients):
    """Σ |apply(c)| over the charges, dipoles, … of each site alone: the measure of rounding."""
    degrees = np.floor(np.sqrt(np.arange(coefficients.shape[1])))
    total = 0.0
    for site in range(len(coefficients)):
        for degree in np.unique(degrees):
            part = np.zeros_like(coefficients)
            part[site] = np.where(degrees == degree, coefficients[site], 0.0)
            total = total + np.abs(apply(part))
    return np.asarray(total)
