"""One script a figure: a module with ``draw() -> Figure``, run by ``scc figure NAME``."""
