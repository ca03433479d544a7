"""Certificates: proofs by ball arithmetic about the exact solution next to a computed one."""

from scc.certify.api import certify
from scc.certify.certificate import Certificate, load
from scc.certify.failure import CertificationError, RefusedError

__all__ = ["Certificate", "CertificationError", "RefusedError", "certify", "load"]
