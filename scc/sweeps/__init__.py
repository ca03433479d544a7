"""Sweeps: one claim on many systems, in parallel, resumable, one row a system.

See README.md.
"""

from scc.sweeps.api import sweep
from scc.sweeps.grid import grid, parse
from scc.sweeps.table import Row, read_table

__all__ = ["Row", "grid", "parse", "read_table", "sweep"]
