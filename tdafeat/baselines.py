"""The baseline stage: every metric where nothing happened, and where only second moments are left.

Small clouds and few draws, so that it costs less than the measurements it stands beside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from tdafeat.cells import Cloud
from tdafeat.record import Metric
from tdafeat.statistics.surrogates import gaussian_like, split_halves
from tdafeat.store import Store
from tdafeat.tasks import Result
from tdafeat.view import View

ROWS = 128  # of a surrogate cloud at most, but two of each class at least
COLUMNS = [
    *("severity", "scope", "metric", "baseline", "quantity", "value", "low", "high", "observed"),
    *("n", "draws"),
]
Values = dict[str, float]


def baseline(
    store: Store,
    clouds: Mapping[int, Cloud],
    chosen: Sequence[Metric],
    maxdim: int,
    n_draws: int,
    random_state: int,
) -> Result:
    """Metrics of the whole cloud on surrogates of it, beside the same metrics on as many own rows.

    ``"split halves"``: clean against clean, other images of the same classes in the place of the
    noisy ones: what a metric that compares with clean is, and by how much another changes
    (``quantity`` ``"change"``), when nothing happened. ``"gaussian"``: Gaussians with the same
    class means and covariances, clean and noisy jointly: what a metric owes to second moments.
    ``value`` is the mean of the draws, ``low`` and ``high`` their smallest and largest;
    ``observed`` is the mean on the study's own rows. Empty where a class has fewer than four.
    """
    sets = {severity: cloud.read(store) for severity, cloud in clouds.items()}
    labels = sets[0].labels
    own = {0: sets[0].features.astype(np.float64)}
    for severity, noisy in sets.items():
        if severity > 0:
            own[severity] = sets[0].paired_with(noisy).features.astype(np.float64)
    n_classes = len(np.unique(labels))
    per_class = min(max(2, ROWS // n_classes), int(np.bincount(labels).min()) // 2)
    if per_class < 2:
        return {"baselines": pd.DataFrame(columns=COLUMNS)}, {}
    of = np.repeat(np.unique(labels), per_class)
    drawn = []
    for draw in range(n_draws):
        rng = np.random.default_rng([random_state, draw])
        first, second = split_halves(labels, per_class, rng)
        gaussian = gaussian_like(own, labels, per_class, rng)
        drawn.append(_one_draw(own, first, second, gaussian, of, chosen, maxdim))
    table = pd.concat(drawn, ignore_index=True)
    keys = ["severity", "metric", "baseline", "quantity"]
    found = table.groupby(keys, sort=False).agg(
        value=("value", "mean"),
        low=("value", "min"),
        high=("value", "max"),
        observed=("observed", "mean"),
        draws=("value", "size"),
    )
    return {"baselines": found.reset_index().assign(scope="all", n=len(of))[COLUMNS]}, {}


def _one_draw(
    own: Mapping[int, np.ndarray],
    first: np.ndarray,
    second: np.ndarray,
    gaussian: Mapping[int, np.ndarray],
    labels: np.ndarray,
    chosen: Sequence[Metric],
    maxdim: int,
) -> pd.DataFrame:
    from tdafeat.topology import persistence

    def measured(cloud: np.ndarray, clean: np.ndarray | None = None) -> Values:
        rows, other = {"features": cloud}, {"diagrams": persistence(cloud, maxdim=maxdim, n_jobs=1)}
        if clean is not None:
            rows["clean"] = clean
            other["clean_diagrams"] = persistence(clean, maxdim=maxdim, n_jobs=1)
        return _measured(View(labels, rows, other=other), chosen)

    compares = {metric.name: metric.compares_with_clean for metric in chosen}
    clean, unrelated = own[0][first], own[0][second]
    before, null = measured(clean), measured(unrelated, clean)
    rows = []
    for severity, cloud in own.items():
        after = measured(cloud[first], clean) if severity else before
        like = measured(gaussian[severity], gaussian[0] if severity else None)
        rows += [
            (severity, name, "gaussian", "value", like[name], after[name])
            for name in after
            if name in like
        ]
        if severity == 0:
            continue
        for name, value in null.items():
            if name not in after or (name not in before and not compares[name]):
                continue
            if compares[name]:
                rows.append((severity, name, "split halves", "value", value, after[name]))
            else:
                changes = abs(value - before[name]), abs(after[name] - before[name])
                rows.append((severity, name, "split halves", "change", *changes))
    columns = ["severity", "metric", "baseline", "quantity", "value", "observed"]
    return pd.DataFrame(rows, columns=columns).astype({"value": float, "observed": float})


def _measured(view: View, chosen: Sequence[Metric]) -> Values:
    """The metrics of the whole cloud that are finite here, by name."""
    from tdafeat.sharing import sharing

    found = {}
    with sharing():
        for metric in chosen:
            if metric.shape == "value" and view.measurable(metric, "all"):
                value = view.measure(metric)[0].value
                if np.isfinite(value):
                    found[metric.name] = float(value)
    return found
