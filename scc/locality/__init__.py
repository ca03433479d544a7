"""Decay measurement: envelope, fits, and the decision between exponential and algebraic."""

from scc.locality.decay import Decay, decide
from scc.locality.envelope import Envelope, envelope
from scc.locality.fits import Fit, fit_exponential, fit_power, fit_product

__all__ = [
    "Decay",
    "Envelope",
    "Fit",
    "decide",
    "envelope",
    "fit_exponential",
    "fit_power",
    "fit_product",
]
