"""``scc`` that knows the toy claims of sweeps as well. Worker processes import this file too."""

import signal
from pathlib import Path

import scc.claims
import scc.claims.store

scc.claims.__path__.append(str(Path(__file__).parent / "toys"))
# Whether rows are found again must not depend on somebody editing scc while the tests run.
scc.claims.store.code_version = lambda: "toy"

if __name__ == "__main__":
    # A runner in the background is started with Ctrl-C ignored, which children inherit.
    signal.signal(signal.SIGINT, signal.default_int_handler)

    from scc.cli.main import main

    main()
