"""The command line: ``scc verify``, ``list``, ``figure``, ``equilibrate`` and ``goldens``.

See README.md.
"""
