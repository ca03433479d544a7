"""The command line: ``scc verify``, ``list``, ``figure``, ``equilibrate``, ``goldens``. See README.md."""
