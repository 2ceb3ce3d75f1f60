"use strict";
for (const spec of document.querySelectorAll("script.spec")) {
  const chart = document.getElementById(spec.dataset.chart);
  vegaEmbed(chart, JSON.parse(spec.textContent), {
    renderer: "svg",
    ast: false,
    actions: { export: true, source: false, compiled: false, editor: false },
  }).then(
    () => chart.classList.add("drawn"),
    (error) => { chart.textContent = "This figure could not be drawn: " + error.message; },
  );
}

// A click on a heading sorts its table: numbers by value, all else by text, dashes last.
const value = (text) => text === "∞" ? Infinity : Number(text.replace("−", "-"));
const key = (cell) => {
  const text = cell.textContent.trim();
  if (!cell.classList.contains("number")) return text;
  const number = value(text);
  return Number.isNaN(number) ? null : number;
};
for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => {
    const heading = button.parentElement;
    const descending = heading.getAttribute("aria-sort") === "ascending";
    for (const other of heading.parentElement.children) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const body = heading.closest("table").tBodies[0];
    const rows = [...body.rows].map((row) => [key(row.cells[heading.cellIndex]), row]);
    rows.sort(([a], [b]) => {
      if (a === null || b === null) return (a === null) - (b === null);
      const order = typeof a === "number" ? a - b : a.localeCompare(b);
      return descending ? -order : order;
    });
    body.append(...rows.map(([, row]) => row));
  });
}
