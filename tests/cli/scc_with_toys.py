"""``scc`` that knows the toy claims as well. Worker processes import this file too."""

import signal
from pathlib import Path

import scc.claims

scc.claims.__path__.append(str(Path(__file__).parents[1] / "claims" / "toys"))

if __name__ == "__main__":
    # A test runner in the background of a shell is started with Ctrl-C ignored, which children
    # inherit, as they should: `scc … &` is not to be stopped by it. These tests are in front.
    signal.signal(signal.SIGINT, signal.default_int_handler)

    from scc.cli.main import main

    main()
