"""``scc`` that knows the toy claims as well. Worker processes import this file too."""

from pathlib import Path

import scc.claims

scc.claims.__path__.append(str(Path(__file__).parents[1] / "claims" / "toys"))

if __name__ == "__main__":
    from scc.cli.main import main

    main()
