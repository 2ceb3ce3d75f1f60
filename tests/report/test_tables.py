import csv
from dataclasses import replace

import pandas as pd
import pytest

from tdafeat.cli import main
from tdafeat.report import write_tables
from tdafeat.report.content import build
from tdafeat.report.model import Table
from tdafeat.report.tables import escaped, latex
from tdafeat.run import Run
from tests.report.synthetic import write_run


def labels(run):
    return [b.label for s in build(run).sections for b in s.blocks if isinstance(b, Table)]


def test_every_table_of_the_report_is_there_in_both_forms(run, tmp_path):
    written = write_tables(run, tmp_path / "new")
    assert sorted(tmp_path.joinpath("new").iterdir()) == sorted(written)
    stems = [path.stem for path in written if path.suffix == ".csv"]
    assert stems == [label.replace(":", "-") for label in labels(run)]
    latex = [path for path in written if path.suffix == ".tex"]
    assert [path.stem for path in latex] == stems
    assert all(path.read_text(encoding="utf-8").isascii() for path in latex)  # any LaTeX has these


def test_csv_holds_all_digits_and_latex_what_the_report_shows(run, tmp_path):
    write_tables(run, tmp_path)
    frame = pd.read_csv(tmp_path / "accuracies.csv")
    m = run.metrics
    cell = (m["scope"] == "all") & (m["severity"] == 2) & (m["encoder"] == "pixels")
    value = 100 * m.loc[cell & (m["metric"] == "probe_accuracy"), "value"].item()
    assert frame["2 (0.18)"].iloc[0] == pytest.approx(value, rel=1e-12)
    tex = (tmp_path / "accuracies.tex").read_text()
    assert f" & {value:.1f} & " in tex
    assert r"\begin{tabular}{llrrrr}" in tex


def test_names_cannot_leave_their_cell_nor_their_folder(tmp_path):
    bad = ("a & b \\\\", "\\input{/etc/passwd}", "../x", "%")
    folder = write_run(tmp_path / "run", classes=bad, encoders=("../e/\\up", "..//e"), n_levels=1)
    written = write_tables(Run.read(folder), tmp_path / "tables")
    assert {path.parent for path in written} == {tmp_path / "tables"}
    assert len(set(written)) == 2 * len(labels(Run.read(folder)))
    tex = "".join(path.read_text() for path in written if path.suffix == ".tex")
    assert r"\input" not in tex
    assert r"a \& b \textbackslash{}\textbackslash{}" in tex


def test_no_cell_of_csv_is_a_formula_to_a_spreadsheet(tmp_path):
    bad = ("=cmd|' /C calc'!A0", "@SUM(1)", "+x", "-2")
    write_tables(
        Run.read(write_run(tmp_path / "run", classes=bad, n_levels=1)), tmp_path / "tables"
    )
    cells = [cell for path in tmp_path.glob("tables/*.csv") for row in reader(path) for cell in row]
    assert {"'" + name for name in bad[:3]} | {"-2"} <= set(cells)
    assert not [cell for cell in cells if cell[:1] in set("=@+")]


def reader(path):
    return csv.reader(path.read_text(encoding="utf-8").splitlines())


def test_a_row_that_begins_with_a_bracket_is_no_argument_of_the_line_before():
    table = Table(pd.DataFrame({"x": ["[1, 2]"], "y": ["$a$"]}), "A.", "a", math=("y",))
    assert r"    {[}1, 2{]} \\" in latex(table, "a")
    assert "$a$" not in latex(table, "a")  # a formula is in another notation
    assert r"\$a\$" in latex(replace(table, math=()), "a")
    assert escaped("∞ −1 –") == r"$\infty$ $-$1 --"


def test_the_command_prints_the_tables_it_wrote(run, tmp_path, capsys):
    assert main(["report", str(run.folder), "--tables", str(tmp_path)]) == 0
    assert str(tmp_path / "accuracies.tex") in capsys.readouterr().out.splitlines()


def test_numbers_with_intervals_have_three_columns_in_csv(run, tmp_path):
    write_tables(run, tmp_path)
    within = pd.read_csv(tmp_path / "associations.csv", float_precision="round_trip")
    assert {"within level", "within level low", "within level high"} <= set(within)
    spearman = run.associations.query("method == 'spearman' and adjustment == 'within level'")
    known = set(spearman["value"].dropna())
    assert set(within["within level"].dropna()) <= known
    assert len(known)
    strict = within.dropna()
    assert (strict["within level low"] <= strict["within level"]).all()
    assert "[" in (tmp_path / "associations.tex").read_text()
