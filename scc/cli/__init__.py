"""The command line: ``scc verify``, ``list``, ``figure``, ``equilibrate``. See README.md."""
