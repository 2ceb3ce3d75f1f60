// Tables of the page: sorted by their headings, and written as CSV with all their digits.

// A click on a heading sorts: numbers by value, all else by text, gaps last.
const key = (cell) => {
  if (cell.dataset.value !== undefined)
    return Number(cell.dataset.value.replace("inf", "Infinity"));
  return cell.classList.contains("number") ? null : cell.textContent.trim();
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
      const order = typeof a === "number" && typeof b === "number"
        ? a - b : String(a).localeCompare(String(b));
      return descending ? -order : order;
    });
    body.append(...rows.map(([, row]) => row));
  });
}

function csv(table) {
  const interval = [...table.tHead.rows[0].cells].map((_, column) =>
    [...table.tBodies[0].rows].some((row) => "low" in row.cells[column].dataset));
  return [...table.rows].map((row) => [...row.cells].flatMap((cell, column) => {
    const shown = cell.textContent.trim();
    const own = cell.dataset.value ?? (shown === "–" ? "" : shown);
    if (!interval[column]) return [own];
    if (cell.tagName === "TH") return [own, own + " low", own + " high"];
    return [own, cell.dataset.low ?? "", cell.dataset.high ?? ""];
  }).map((text) => {
    if (/^[=+\-@]/.test(text) && isNaN(text)) text = "'" + text; // no spreadsheet runs it
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  }).join(",")).join("\r\n") + "\r\n";
}
