"""Hypothesis profiles: derandomised by default, long and random under HYPOTHESIS_PROFILE=fuzz."""

import os
import sys
from pathlib import Path

from hypothesis import HealthCheck, settings

# Strategies live in one place, tests/strategies, importable from every test folder.
sys.path.insert(0, str(Path(__file__).parent))

_common = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("ci", derandomize=True, max_examples=25, print_blob=True, **_common)
settings.register_profile("fuzz", derandomize=False, max_examples=1000, print_blob=True, **_common)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
