"""On the path of every process of a test: the toy claims, and a version that does not move.

joblib's workers start as fresh interpreters that import nothing of the test.
"""

from pathlib import Path

import scc.claims
import scc.claims.store

scc.claims.__path__.append(str(Path(__file__).parents[1] / "toys"))
# Whether rows are found again must not depend on somebody editing scc while the tests run.
scc.claims.store.code_version = lambda: "toy"
