"""The abscissa of figures against the size of a system."""

from collections.abc import Iterable

from matplotlib.axes import Axes


def size_axis(axes: Axes, sizes: Iterable[float]) -> None:
    """Logarithmic in the number of atoms M, with a tick at each size and nowhere else."""
    ticks = sorted({int(size) for size in sizes})
    axes.set_xscale("log")
    axes.set_xticks(ticks, [str(size) for size in ticks])
    axes.set_xticks([], minor=True)
    axes.set_xlabel("number of atoms $M$")
