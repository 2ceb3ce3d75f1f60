"""Formulas of the metrics, in Typst's notation: typeset in the document, MathML in the page.

They are the suite's own, by the metrics' names, and never read from a run: a run's texts are data,
and a formula is code.
"""

from __future__ import annotations

import re
from functools import cache

SYMBOLS = (
    "A cloud has rows $x_i$, $n$ of them, in $C$ classes; $u_i = x_i \\/ norm(x_i)$, and $y_i$ is "
    "the clean row of the same image. $lambda_k$ are the eigenvalues of the covariance and $s_k$ "
    "the singular values of the raw features, both descending. $(b, d)$ are the bars that die of a "
    "diagram, $gamma$ matchings of two diagrams with the diagonal. $m_c$ is the mean of class $c$ "
    "less that of all classes, $M$ the rows $m_c$, $v_c$ the mean squared distance of the class's "
    "rows from it; $Sigma_W$ and $Sigma_B$ are the covariances within classes and between their "
    "means. $theta_k$ are the principal angles of two subspaces with orthonormal bases $Q_a$ and "
    "$Q_b$, $K$ of them. $N_k (x)$ are the $k$ nearest others of a row. A predictor gives row $i$, "
    "of class $c_i$, scores $s_(i c)$ or probabilities $p_(i c)$; $W$ are its weights less their "
    "mean. $Q$ are quantiles."
)

_ANGLES = "cos theta_k = sigma_k (Q_a^top Q_b)"
_MEAN_ANGLE = f"1/K sum_k theta_k, quad {_ANGLES}"
_GRASSMANN = "sqrt(sum_k theta_k^2)"
_CHORDAL = "sqrt(sum_k sin^2 theta_k)"
_PROJECTION = "max_k sin theta_k"

_MEDIAN_DISTANCE = 'op("median", limits: #true)_(i < j) norm(x_i - x_j)'
_OF_PREDICTORS = {
    "brier": ("1/n sum_(i, c) (p_(i c) - [c = c_i])^2", ("head", "knn", "probe")),
    "nll": ("- 1/n sum_i ln p_(i c_i)", ("head", "probe")),
    "margin": (
        "1/n sum_i (s_(i c_i) - max_(c != c_i) s_(i c))",
        ("class_mean", "head", "knn", "probe", "zero_shot"),
    ),
    "nc3": ("norm(W \\/ norm(W)_F - M \\/ norm(M)_F)_F^2", ("head", "probe", "zero_shot")),
}

FORMULAS = {
    "bottleneck": "min_gamma max_a norm(a - gamma(a))_infinity",
    "wasserstein": "min_gamma sum_a norm(a - gamma(a))_infinity",
    "total_persistence": "sum (d - b)",
    "persistence_entropy": "- sum p ln p, quad p = (d - b) / (sum (d - b))",
    "median_death": 'op("median") d',
    "longest_bar": "max (d - b)",
    "lifetime_q90": "Q_(0.9) (d - b)",
    "koleo": "- 1/n sum_i ln min_(j != i) norm(u_i - u_j)",
    "uniformity": "ln 2/(n(n-1)) sum_(i < j) e^(-2 norm(u_i - u_j)^2)",
    "alignment": "1/n sum_i norm(u_i - y_i \\/ norm(y_i))^2",
    "displacement": "1/n sum_i norm(x_i - y_i)",
    "mean_cosine": "2/(n(n-1)) sum_(i < j) u_i^top u_j",
    "nearest_neighbour_distance": 'op("median", limits: #true)_i min_(j != i) norm(x_i - x_j)',
    "rankme": "e^(- sum_k p_k ln p_k), quad p_k = s_k / (sum_j s_j) + 10^(-7)",
    "effective_rank": "e^(- sum_k p_k ln p_k), quad p_k = lambda_k / (sum_j lambda_j)",
    "participation_ratio": "(sum_k lambda_k)^2 / (sum_k lambda_k^2)",
    "stable_rank": "1/lambda_1 sum_k lambda_k",
    "total_variance": "sum_k lambda_k",
    "power_law_exponent": "alpha, quad ln lambda_k approx beta - alpha ln k",
    "nc1": '1/C op("tr") Sigma_W Sigma_B^+',
    "nc1_trace": 'op("tr") Sigma_W \\/ op("tr") Sigma_B',
    "nc2_equinorm": 'op("std")_c norm(m_c) \\/ op("mean")_c norm(m_c)',
    "nc2_equiangular": "op(\"mean\", limits: #true)_(c != c') abs(cos(m_c, m_(c')) + 1/(C - 1))",
    "etf_distance": "norm((M M^top)/norm(M M^top)_F "
    "- (I - bold(1) bold(1)^top \\/ C)/sqrt(C - 1))_F",
    "linear_cka": 'H(X, Y) \\/ sqrt(H(X, X) H(Y, Y)), quad H = op("HSIC")_u',
    "class_angle_mean": _MEAN_ANGLE,
    "class_angle_max": f"max_k theta_k, quad {_ANGLES}",
    "class_angle_min": f"min_k theta_k, quad {_ANGLES}",
    "class_grassmann": _GRASSMANN,
    "class_chordal": _CHORDAL,
    "class_projection": _PROJECTION,
    "subspace_angle_to_clean": _MEAN_ANGLE,
    "subspace_grassmann_to_clean": _GRASSMANN,
    "subspace_chordal_to_clean": _CHORDAL,
    "subspace_projection_to_clean": _PROJECTION,
    "two_nn": "d, quad P(r_2 \\/ r_1 > mu) = mu^(-d)",
    "levina_bickel": "d, quad 1 \\/ d = 1/n sum_i 1/19 sum_(j < 20) ln (r_20 \\/ r_j)",
    "condition_number": "lambda_1 \\/ min_(lambda_k > 0) lambda_k",
    "nearest_neighbour_q10": "Q_(0.1) (min_(j != i) norm(x_i - x_j))",
    "nearest_neighbour_q90": "Q_(0.9) (min_(j != i) norm(x_i - x_j))",
    "class_distance_variance": 'op("mean", limits: #true)_(c != c\') '
    "(v_c + v_(c')) / (2 norm(m_c - m_(c'))^2)",
    "hubness": 'op("skew")_i abs({j : x_i in N_10 (x_j)})',
    "mutual_neighbours": "1/n sum_i abs(N_10 (x_i) ∩ N_10 (y_i)) \\/ 10",
    "representational_similarity": "rho(norm(x_i - x_j), norm(y_i - y_j))_(i < j)",
    "relative_longest_bar": f"max (d - b) \\/ {_MEDIAN_DISTANCE}",
    "relative_median_death": f'op("median") d \\/ {_MEDIAN_DISTANCE}',
    **{
        f"n_components_{share}": f"min {{k : sum_(j <= k) lambda_j >= 0.{share} sum_j lambda_j}}"
        for share in (90, 95, 99)
    },
    **{
        f"{predictor}_{name}": markup
        for name, (markup, predictors) in _OF_PREDICTORS.items()
        for predictor in predictors
    },
}


def formula(name: str) -> str | None:
    """The formula of a metric, or None; all degrees of homology share one.

    Examples
    --------
    >>> formula("class_bottleneck_h1") == formula("bottleneck_h0")
    True
    """
    if name in FORMULAS:
        return FORMULAS[name]
    of_degree = re.fullmatch(r"(?:class_)?(\w+)_h\d", name)
    return FORMULAS.get(of_degree[1]) if of_degree else None


@cache
def html(markup: str) -> str:
    """A formula, or a paragraph with some, for a page: MathML."""
    import tempfile
    from pathlib import Path

    import typst

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "formula.typ"
        path.write_text(markup, encoding="utf-8")
        page = typst.compile(str(path), root=folder, format="html").decode()
    body = re.search(r"<body>\s*(?:<p>)?(.*?)(?:</p>)?\s*</body>", page, flags=re.S)
    assert body is not None
    return body[1]
