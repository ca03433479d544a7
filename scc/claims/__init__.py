"""Executable claims: hypotheses checked, prediction, measurement, verdict. See README.md."""
