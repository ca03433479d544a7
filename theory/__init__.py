"""Statements of the paper as running derivations, one file each; installed as ``scc.theory``."""
