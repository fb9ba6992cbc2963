"""Pictures of runs: what they show, and means and intervals by hand."""

import io

import numpy as np
import pytest

from grasp_func.training import palette, plots
from statistics_rows import make_row

PNG = b"\x89PNG\r\n\x1a\n"
NO_AIR = {name: None for name in ("success_air", "success_air_low", "success_air_high")}


@pytest.fixture
def figures(monkeypatch):
    """Returns the figures that are drawn."""
    drawn, make = [], plots._figure
    monkeypatch.setattr(
        plots, "_figure", lambda *size, **kw: drawn.append(make(*size, **kw)) or drawn[-1]
    )
    return drawn


def texts(panel):
    return [text.get_text() for text in panel.texts]


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [make_row(1)],
        [make_row(1, **NO_AIR, success_table=None, critic_loss=None)],
        [make_row(1), make_row(2, **NO_AIR), make_row(3, phase="late")],
        # of a version that recorded no times and learning rates
        [{"epoch": 1, "env_steps": 5, "success": 0.5, "phase": "early"}] * 2,
    ],
)
def test_plots_of_any_number_of_epochs(rows):
    data = plots.stats_png("Env-v0, seed 1", rows)
    assert data.startswith(PNG)
    assert len(data) > 5000


def test_a_run_shows_phases_intervals_and_times(figures):
    late = {"actor_lr": 3e-4, "critic_lr": 1e-4}
    rows = [make_row(n, phase="early") for n in (1, 2)] + [
        make_row(n, phase="late" if n < 5 else "fine", **late) for n in (3, 4, 5)
    ]
    plots.stats_png("Env-v0, seed 1, 2 worker(s)", rows)
    (figure,) = figures
    assert figure.get_suptitle() == "Env-v0, seed 1, 2 worker(s)"
    success, losses, q, times = figure.axes
    assert {line.get_color() for line in success.lines[:3]} == {
        palette.ALL_GOALS,
        palette.TABLE_GOALS,
        palette.AIR_GOALS,
    }
    assert len(success.collections) == 3
    # lines where phases begin, after 0.12 and 0.2 million steps
    marks = [line.get_xdata()[0] for line in success.lines[3:]]
    assert marks == [0.12, 0.2]
    assert [t.split() for t in texts(success)[3:]] == [
        ["late", "phase", "learning", "rate", "0.0001", "and", "0.0003"],
        ["fine", "phase", "learning", "rate", "0.0001", "and", "0.0003"],
    ]
    assert texts(losses) == ["actor", "critic"] and len(q.lines) == 3
    assert texts(times) == ["rollouts", "updates", "evaluation", "saving"]
    assert times.dataLim.y1 == pytest.approx(10.0)


def test_runs_of_one_label_have_a_mean_and_an_interval(figures):
    """... from where both have begun to where the first ends, at the epochs of either."""

    def run(epochs, success):
        return [make_row(n, **NO_AIR, success=success) for n in epochs]

    runs = [("a", run([1, 2, 3], 0.2)), ("a", run([2, 4], 0.6)), ("b", run([1, 2], 0.9))]
    plots.comparison(runs, "epochs")
    (figure,) = figures
    panel, table = figure.axes  # no goals in the air
    assert (panel.get_title(), table.get_title()) == ("all goals", "goals on the table")
    first, second, mean, single = panel.lines
    assert list(first.get_xdata()) == [1, 2, 3] and list(second.get_xdata()) == [2, 4]
    assert list(mean.get_xdata()) == [2, 3]
    np.testing.assert_allclose(mean.get_ydata(), 0.4)
    assert list(single.get_ydata()) == [0.9, 0.9]
    colours = [line.get_color() for line in panel.lines]
    assert colours == [palette.GROUPS[0]] * 3 + [palette.GROUPS[1]]
    legend = [text.get_text() for text in figure.legends[0].texts]
    assert legend == ["a (2 runs)", "b (1 run)"]
    # means of two draws of .2 and .6: .2 or .6 in a quarter of the resamples each
    band, wilson = (collection.get_paths()[0].vertices[:, 1] for collection in panel.collections)
    assert (band.min(), band.max()) == pytest.approx((0.2, 0.6))
    assert (wilson.min(), wilson.max()) == pytest.approx((0.4, 0.6))


def test_runs_that_share_nothing_have_no_mean(figures):
    late = [make_row(n) for n in (5, 6)]
    none = [make_row(1, **NO_AIR)] * 2
    runs = [("a", [make_row(1), make_row(2)]), ("a", late), ("b", none), ("b", none)]
    plots.comparison(runs, "epochs").savefig(io.BytesIO())
    everything, _, air = figures[0].axes
    assert [len(line.get_xdata()) for line in everything.lines] == [2, 2, 0, 2, 2, 1]
    assert len(air.lines) == 3  # no goals in the air of label b


@pytest.mark.parametrize(
    ("x", "last"), [("steps", 0.08), ("updates", 8.0), ("seconds", 1 / 3), ("epochs", 2.0)]
)
def test_every_axis_has_its_unit(figures, x, last):
    plots.comparison([("a", [make_row(1), make_row(2)])], x)
    assert figures[0].axes[0].lines[0].get_xdata()[-1] == pytest.approx(last)


def test_many_groups_can_be_told_apart(figures):
    plots.comparison([(str(n), [make_row(1)]) for n in range(20)], "steps")
    lines = figures[0].axes[0].lines
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == 20
