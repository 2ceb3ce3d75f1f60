import pytest

from tdafeat.record import metrics
from tdafeat.report.formulas import FORMULAS, SYMBOLS, formula, html
from tdafeat.report.references import REFERENCES, numbered, reference


def test_every_formula_is_of_a_metric():
    stems = {name.removeprefix("class_").rsplit("_h", 1)[0] for name in metrics} | set(metrics)
    assert set(FORMULAS) <= stems


@pytest.mark.parametrize("name", FORMULAS)
def test_formulas_become_mathml(name):
    assert html(f"${FORMULAS[name]}$").startswith("<math>")


def test_symbols_are_a_paragraph_with_formulas():
    text = html(SYMBOLS)
    assert text.startswith("A cloud has rows <math>")
    assert "</p>" not in text


def test_the_main_metrics_have_one():
    for name in ("koleo", "rankme", "nc1", "linear_cka", "class_angle_mean", "wasserstein_h1"):
        assert formula(name)
    assert formula("nowhere_known") is None


def test_every_publication_of_a_record_has_a_full_reference():
    for _, metric in metrics.items():
        if numbered([metric.source]):
            full = reference(metric.source)
            assert metric.source in REFERENCES or "), " in full, metric.name


def test_no_reference_is_left_over():
    assert set(REFERENCES) <= {metric.source for _, metric in metrics.items()}


def test_a_publication_has_one_number_whatever_it_is_cited_for():
    cited = ["Gower 1975", "top-5, Wilson 1927 interval", "top-1, Wilson 1927 interval"]
    for order in (cited, cited[::-1]):
        numbers = numbered(order)
        assert numbers == dict(zip(cited, (1, 2, 2), strict=True))
        assert list(numbers) == ["Gower 1975", *sorted(cited[1:])]
