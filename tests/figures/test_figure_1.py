"""Figure 1: rows are of what they say, none is computed twice, and the figure shows them."""

import importlib
import shutil
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from scc.ace import selection
from scc.ace.reference_set import ReferenceSet, read_reference_set
from scc.cli.figure import figures_package
from scc.cli.main import cli
from scc.errors import InputError

figures_package()
fits = importlib.import_module("scc.figures._figure_1_fits")
figure_1 = importlib.import_module("scc.figures.figure_1")


def made_row(point, data="d", procedure=None, value=1.0):
    row = dict.fromkeys(fits.COLUMNS, "1") | dict(zip(fits._KEY, point.key(data), strict=True))
    row |= {
        name: f"{value:.6g}" for name in fits.COLUMNS if name.split("_")[0] in ("self", "teacher")
    }
    return row if procedure is None else row | {"settings_sha256": procedure}


@pytest.fixture
def data(tmp_path):
    """A data folder: small, but read as the real one."""
    folder = tmp_path / "water"
    folder.mkdir()
    for name in (*fits.TRAIN, fits.TEST):
        shutil.copy(fits.DATA / name, folder / name)
    return folder


@pytest.fixture
def judged(monkeypatch):
    """Fits replaced by a notebook of the points that were fitted."""
    done = []

    def judge(point, training, test):
        if judge.stop is not None and len(done) == judge.stop:
            raise KeyboardInterrupt
        done.append(point)
        return {k: v for k, v in made_row(point).items() if k not in fits._KEY}

    judge.stop, judge.done = None, done
    monkeypatch.setattr(fits, "judged", judge)
    return judge


def test_all_models_on_all_splits_the_first_split_first() -> None:
    points = fits.points()
    assert len(points) == len(set(points)) == 36
    assert [point.split for point in points[:12]] == [1] * 12
    later = [point.order for point in points[12:]]
    assert later == sorted(later)
    assert [point.n_features for point in points[:4]] == [0, 1, 8, 27]
    for point in points:
        assert point.settings().density.specification.features.n_features == point.n_features
        assert point.settings().density.specification.order == point.order


def test_one_procedure_for_all_models() -> None:
    """Same weights, same ridges and γ to choose from; those of products of three wherever any."""
    seen = set()
    for point in fits.points():
        settings_ = point.settings()
        for weights in (settings_.density_weights, settings_.energy_weights):
            assert {len(prior) for prior in weights.priors} == {3 if point.order == 3 else 2}
            common = tuple(dict.fromkeys(prior[:2] for prior in weights.priors))
            factors = {prior[2:] for prior in weights.priors}
            assert len(weights.priors) == len(common) * len(factors)
            seen.add(str(replace(weights, priors=common)))
    assert len(seen) == 2


@settings(max_examples=8)
@given(st.integers(0, 36))
def test_an_interrupted_run_goes_on_where_it_was(tmp_path_factory, stop) -> None:
    folder, path = fits.DATA, tmp_path_factory.mktemp("rows") / "rows.csv"
    done = []

    def judge(point, training, test):
        if len(done) == stop and not resumed:
            raise KeyboardInterrupt
        done.append(point)
        return {k: v for k, v in made_row(point).items() if k not in fits._KEY}

    resumed = False
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fits, "judged", judge)
        patch.setattr(fits, "read_reference_set", lambda paths: None)
        if stop < 36:
            with pytest.raises(KeyboardInterrupt):
                fits.compute(folder=folder, path=path)
        resumed = True
        fits.compute(folder=folder, path=path)
        fits.compute(folder=folder, path=path)
    assert done == fits.points()
    data = fits.data_digest(folder)
    assert [fits.key_of(row) for row in fits.read_rows(path)] == [p.key(data) for p in done]
    assert [item.name for item in path.parent.iterdir()] == ["rows.csv"]


def test_side_by_side_gives_the_rows_of_one_after_the_other(tmp_path, monkeypatch) -> None:
    """Real fits of the smallest models in processes of their own, in the order of the points."""
    some = read_reference_set(fits.DATA / fits.TRAIN[0]).frames
    training = ReferenceSet(tuple(frame for frame in some if frame.n_molecules <= 2)[::6])
    points = [fits.Point(1, 0, 0, split) for split in fits.SPLITS[:2]]
    rows = [
        list(fits._side_by_side(points, training, training.subset([0, 1]), workers))
        for workers in (1, 2)
    ]
    for one, other in zip(*rows, strict=True):
        assert set(one) == set(other) == set(fits.COLUMNS) - set(fits._KEY)
        for name in set(one) - {"seconds", "version"}:
            assert float(one[name]) == pytest.approx(float(other[name]), rel=1e-4), name
    assert rows[0][0] != rows[0][1]


def test_rows_of_other_data_are_out_of_date(data, judged, tmp_path) -> None:
    path = tmp_path / "rows.csv"
    before = fits.data_digest(data)
    fits.compute(folder=data, path=path)
    assert not fits.missing_points(fits.read_rows(path), before)
    frames = (data / fits.TEST).read_text()
    (data / fits.TEST).write_text(frames.replace("-0.", "-1.", 1))
    assert fits.data_digest(data) != before
    assert len(fits.missing_points(fits.read_rows(path), fits.data_digest(data))) == 36
    (data / fits.TEST).unlink()
    assert fits.data_digest(data) is None
    with pytest.raises(InputError, match="not part of this installation"):
        fits.compute(folder=data, path=path)


def test_rows_of_other_settings_are_out_of_date(monkeypatch) -> None:
    rows = [made_row(point) for point in fits.points()]
    assert len(fits.valid_rows(rows, "d")) == 36
    monkeypatch.setattr(fits, "SEED", fits.SEED + 1)
    fits.settings_digest.cache_clear()
    try:
        assert fits.valid_rows(rows, "d") == []
    finally:
        fits.settings_digest.cache_clear()


def test_no_fit_sees_a_left_out_trajectory_or_the_test_set(monkeypatch) -> None:
    training = read_reference_set([fits.DATA / name for name in fits.TRAIN])
    test = read_reference_set(fits.DATA / fits.TEST)
    fitted, judged_on = [], []

    class Nothing:
        density = energy = None

    def fit(used, settings, seed):
        fitted.append({frame.group for frame in used.frames})
        return Nothing()

    def outcomes(model, frames, mode):
        judged_on.append({frame.name for frame in frames})
        return []

    monkeypatch.setattr(selection, "fit", fit)
    monkeypatch.setattr(selection, "outcomes", outcomes)
    monkeypatch.setattr(selection, "FittedModel", lambda *parts: None)
    for split in fits.SPLITS:
        fits.judged(fits.Point(1, 0, 0, split), training, test)
    everything = {frame.group for frame in training.frames}
    left_out = [everything - groups for groups in fitted]
    assert all(left_out)
    assert sum(len(groups) for groups in left_out) == len(everything)  # each left out once
    assert all(names == {frame.name for frame in test.frames} for names in judged_on)
    assert not {frame.group for frame in test.frames} & everything


@settings(max_examples=6)
@given(st.lists(st.floats(0.1, 100.0), min_size=36, max_size=36))
def test_the_figure_shows_means_and_deviations_of_the_rows(values) -> None:
    rows = [made_row(p, value=v) for p, v in zip(fits.points(), values, strict=True)]
    figure = figure_1.drawn(rows)
    assert len(figure.axes) == 4
    table = np.empty((3, 3, 4))
    for point, value in zip(fits.points(), values, strict=True):
        features = fits.FEATURES.index((point.n_max, point.l_max))
        table[point.split - 1, point.order - 1, features] = float(f"{value:.6g}")
    for axes in figure.axes:
        assert len(axes.containers) == 6
        for index, container in enumerate(axes.containers):
            order = index // 2
            line, _, (bars,) = container.lines
            assert np.allclose(line.get_ydata(), table[:, order].mean(axis=0))
            ends = np.array([segment[:, 1] for segment in bars.get_segments()])
            assert np.allclose(
                0.5 * (ends[:, 1] - ends[:, 0]), table[:, order].std(axis=0, ddof=1), atol=1e-9
            )


def test_a_part_of_the_fits_is_drawn_as_it_is() -> None:
    figure = figure_1.drawn([made_row(point) for point in fits.points()[:5]])
    lengths = [len(c.lines[0].get_ydata()) for c in figure.axes[0].containers]
    assert lengths == [4, 4, 1, 1]


def test_complete_present_rows_are_preferred_and_rows_never_mixed() -> None:
    old = [made_row(point, "old") for point in fits.points()]
    new = [made_row(point, "new") for point in fits.points()]
    other = [made_row(point, "new", "other settings") for point in fits.points()[:30]]
    assert figure_1.chosen_rows([*new, *old], "new") == new
    assert figure_1.chosen_rows([*old, *new[:20]], "new") == old
    assert figure_1.chosen_rows([*other, *new[:20]], "new") == other
    assert figure_1.chosen_rows([*old, *new], None) == new
    with pytest.raises(InputError, match="no fits yet"):
        figure_1.chosen_rows([], "new")


def test_a_damaged_table_is_refused(tmp_path) -> None:
    path = tmp_path / "rows.csv"
    fits.write_rows([made_row(point) for point in fits.points()], path)
    assert len(fits.read_rows(path)) == 36
    whole = path.read_text()
    path.write_text(whole[: len(whole) - 40])
    with pytest.raises(InputError, match="not the table of figure 1"):
        fits.read_rows(path)
    path.write_text(whole.replace("seconds", "minutes"))
    with pytest.raises(InputError, match="not the table of figure 1"):
        fits.read_rows(path)


def test_outdated_rows_are_told(monkeypatch) -> None:
    rows = [made_row(point) for point in fits.points()]
    monkeypatch.setattr(fits, "read_rows", lambda: rows)
    for digest, words in (("d", None), ("other", "36 of 36"), (None, None)):
        monkeypatch.setattr(fits, "data_digest", lambda digest=digest: digest)
        reason = figure_1.outdated()
        assert reason is None if words is None else words in reason


@pytest.fixture
def toy_figure(monkeypatch, tmp_path):
    """``scc.figures`` with a figure 7 that is out of date until it is computed."""
    package = ModuleType("scc.figures")
    package.__path__ = [str(tmp_path)]
    monkeypatch.setitem(importlib.sys.modules, "scc.figures", package)
    monkeypatch.delitem(importlib.sys.modules, "scc.figures.figure_7", raising=False)
    (tmp_path / "figure_7.py").write_text(
        "from matplotlib.figure import Figure\nstate = {'old': True}\n"
        "def compute(progress):\n    progress('computing')\n    state['old'] = False\n"
        "def outdated():\n    return 'figure 7 is old' if state['old'] else None\n"
        "def draw():\n    return Figure()\n"
    )
    yield tmp_path
    monkeypatch.delitem(importlib.sys.modules, "scc.figures.figure_7", raising=False)


def test_figures_by_number_warn_or_compute(toy_figure) -> None:
    out = str(toy_figure / "out")
    plain = CliRunner().invoke(cli, ["figure", "7", "--out", out])
    assert plain.exit_code == 0, plain.output
    assert "warning: figure 7 is old" in plain.stderr
    assert (toy_figure / "out" / "figure_7.png").is_file()
    computed = CliRunner().invoke(cli, ["figure", "7", "--out", out, "--compute"])
    assert "computing" in computed.stderr
    assert "warning" not in computed.stderr
    unknown = CliRunner().invoke(cli, ["figure", "8", "--out", out])
    assert unknown.exit_code == 2
    assert "no figure '8'" in unknown.stderr


@pytest.mark.parametrize("column", figure_1.PANELS)
def test_errors_fall_with_features_and_with_order_within_error_bars(column: str) -> None:
    """Of the rows that ship: none missing, and no step up larger than its two error bars."""
    mean, bar = _means_and_bars(f"self_consistent_{column}")
    for axis in (0, 1):
        steps = np.diff(mean, axis=axis)
        bars = bar + np.roll(bar, -1, axis=axis)
        assert np.all(steps <= bars[: len(steps), : steps.shape[1]])


def test_without_features_errors_stall() -> None:
    """No order comes near what 27 features do at the same order or the one below."""
    forces, bar = _means_and_bars("self_consistent_force_rmse_mev_per_angstrom")
    assert np.all(forces[1:, 3] + bar[1:, 3] <= 0.5 * forces[1:, 0])
    assert forces[2, 0] - bar[2, 0] >= 1.5 * forces[1, 3]
    rows = figure_1.chosen_rows(fits.read_rows(), fits.data_digest())
    assert all(row["self_consistent_scf_unconverged"] == "0" for row in rows)


def _means_and_bars(column: str) -> tuple[np.ndarray, np.ndarray]:
    """(order, features) over all splits, standard deviations."""
    rows = figure_1.chosen_rows(fits.read_rows(), fits.data_digest())
    assert len(rows) == len(fits.points())
    found = np.array(
        [
            [figure_1._values(rows, order, features, column) for features in fits.FEATURES]
            for order in fits.ORDERS
        ]
    )
    assert found.shape == (3, 4, len(fits.SPLITS))
    return found.mean(axis=2), found.std(axis=2, ddof=1)
