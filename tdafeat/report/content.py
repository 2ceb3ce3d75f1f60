"""The content of a report, from a run: which sections there are and what each says."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tdafeat.report import analyses, background, beyond, correlations, evidence, likeness
from tdafeat.report.model import Block, Report, Section
from tdafeat.report.records import Records
from tdafeat.run import Run

ORDER: tuple[tuple[str, Callable[[Run, Records], Iterator[Block]]], ...] = (
    ("Accuracy {along}", evidence.accuracy),
    ("Persistence diagrams", evidence.diagrams),
    ("Distances between diagrams", evidence.distances),
    ("Angles between classes", evidence.angles),
    ("Spectra and geometry", evidence.spectra),
    ("Feature spaces side by side", likeness.similarities),
    ("Maps of the features", evidence.projections),
    ("Null baselines", beyond.baselines),
    ("What goes with accuracy", correlations.associations),
    ("What topology adds", beyond.added),
    ("What clean features foretell", beyond.prediction),
    ("Training", evidence.training),
    ("Methods", background.methods),
    ("Definitions", background.definitions),
    ("All measurements", background.measurements),
    ("What failed", background.holes),
    ("Provenance", background.provenance),
    ("References", background.references),
)


def build(run: Run) -> Report:
    """Everything the page and the document say; a section without data is left out."""
    records = Records(run)
    sections = list(analyses.sections(run))
    for title, blocks_of in ORDER:
        blocks = tuple(blocks_of(run, records))
        if blocks:
            named = title.format(along=records.words.along).rstrip()
            sections.append(Section(named, blocks))
    manifest = run.manifest
    title = str(manifest["title"] or manifest["name"] or "Report")
    answer = tuple(str(sentence) for sentence in manifest["answer"])
    return Report(title, str(manifest["question"]), answer, _facts(run, records), tuple(sections))


def _facts(run: Run, records: Records) -> str:
    """One line saying what was looked at."""
    manifest = run.manifest
    parts = [f"{manifest['dataset']}, {manifest['split']} split" if manifest["split"] else ""]
    if n := len(manifest["classes"]):
        each = manifest["n_per_class"]
        parts.append(
            f"{n} {'class' if n == 1 else 'classes'}" + (f" of {each} images" * bool(each))
        )
    parts.append(", ".join(str(encoder["name"]) for encoder in manifest["encoders"]))
    if manifest["noise"]:
        noise = manifest["noise"]
        levels = ", ".join(f"{level:g}" for level in noise.get("levels", []))
        kind = records.words.kind.format(name=noise.get("name"))
        parts.append(f"{kind}, {noise.get('parameter')} {levels}")
    return " · ".join(part for part in parts if part)
