"use strict";
// Figures share what is chosen: parameters of the same names in every chart (figures/linking.py).
// A chart is drawn when it comes near the window, and follows later choices only while it is near.

const state = { chosen_class: "", shown_level: "" };
const read = (id) => JSON.parse(document.getElementById(id).textContent);
const control = (id) => document.getElementById(id);
const levels = read("levels");
const places = read("places");
const NOUNS = { chosen_class: "class", shown_level: control("level")?.labels[0].textContent.toLowerCase() };
const ALONE = { square: 380, row: 220, wide: 520 }; // pixels of a panel that is left alone

// --- figures

const figures = new Map([...document.querySelectorAll("script.spec")].map((source) => {
  const [chart, unmoved] = source.closest("figure").querySelectorAll(".chart, .unmoved");
  return [chart, { source, chart, unmoved, near: false, view: null, shows: null, sides: new Map() }];
}));

async function unpacked(element) { // deflated text in base64
  const packed = Uint8Array.from(atob(element.textContent), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).text();
}

// Panels of which there is one for each level; the one that is left when a level is chosen takes
// more room. Their sides are signals, under the panel's name.
const panels = (spec) => spec.vconcat?.flatMap(panels)
  ?? (spec.facet?.field === "level" && typeof spec.spec.width === "number" ? [spec.spec] : []);

const vega = unpacked(control("vega")).then((code) => { // defines vegaEmbed
  const script = document.createElement("script");
  script.textContent = code;
  document.head.append(script);
});

async function draw(figure) {
  const spec = JSON.parse(await unpacked(figure.source));
  figure.params = new Set();
  for (const param of spec.params ?? []) {
    figure.params.add(param.name);
    if (!(param.name in state)) continue;
    param.value = state[param.name];
    delete param.bind; // the page's own controls stand for the menu
  }
  for (const panel of panels(spec)) {
    const all = [panel.width, panel.height];
    const square = spec.vconcat ? ALONE.row : ALONE.square;
    const alone = all[0] === all[1] ? all.map((side) => Math.max(square, side)) : [ALONE.wide, all[1]];
    figure.sides.set(panel.name, { all, alone });
    if (state.shown_level) [panel.width, panel.height] = alone;
  }
  try {
    await vega;
    const inside = figure.chart.appendChild(document.createElement("div")); // Vega renames its element
    const drawn = await vegaEmbed(inside, spec, {
      renderer: "svg", ast: false, actions: false, defaultStyle: false, tooltip,
    });
    figure.view = drawn.view;
    figure.chart.classList.add("drawn");
    figure.view.addEventListener("click", (event, item) => clicked(item));
    if (figure.params.has("picked")) figure.view.addSignalListener("picked", (name, value) => {
      const names = value.scope; // of a legend of classes: the choice is everybody's
      if (!names?.length) return;
      queueMicrotask(() => figure.view.data("picked_store", []).run());
      choose(String(names.at(-1)));
    });
  } catch (error) {
    figure.chart.textContent = "This figure could not be drawn: " + error.message;
  }
}

async function refresh(figure) {
  const wanted = JSON.stringify(state);
  if (figure.shows === wanted) return;
  const first = figure.shows === null;
  figure.shows = wanted;
  if (first) await (figure.drawing = draw(figure));
  else {
    await figure.drawing;
    const { view, sides } = figure;
    if (!view) return;
    for (const [name, value] of Object.entries(state))
      if (figure.params.has(name)) view.signal(name, value);
    await view.runAsync();
    // A panel made for another level has the sides it was declared with, until they change.
    for (const more of sides.size ? [1, 0] : []) {
      for (const [name, { all, alone }] of sides) {
        const [width, height] = state.shown_level ? alone : all;
        view.signal(name + "_width", width + more).signal(name + "_height", height + more);
      }
      await view.resize().runAsync();
    }
  }
  if (figure.shows !== wanted) return;
  const unmoved = Object.keys(state).filter((name) => state[name] && !figure.params.has(name));
  figure.unmoved.textContent = unmoved.length === 0 ? ""
    : `Not changed by the ${unmoved.map((name) => NOUNS[name]).join(" and the ")} chosen.`;
  figure.chart.dataset.shows = wanted;
}

function change(choice) {
  Object.assign(state, choice);
  for (const figure of figures.values()) if (figure.near) refresh(figure);
}

const observer = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    const figure = figures.get(target);
    figure.near = isIntersecting;
    if (isIntersecting) refresh(figure);
  }
}, { rootMargin: "60% 0px" });
for (const chart of figures.keys()) observer.observe(chart);

// Paper shows every figure of every feature space, and all that is folded.
const folds = document.querySelectorAll("main details");
addEventListener("beforeprint", () => {
  for (const fold of folds) [fold.dataset.open, fold.open] = [fold.open, true];
  for (const figure of figures.values()) refresh(figure);
});
addEventListener("afterprint", () => {
  for (const fold of folds) fold.open = fold.dataset.open === "true";
});

// --- tooltips: what a mark says, and its image where the page has it

const tip = control("tip");
function tooltip(handler, event, item, value) {
  tip.hidden = value === null || value === undefined || value === "";
  if (tip.hidden) return;
  tip.replaceChildren();
  const place = places[item?.datum?.image];
  if (place) {
    const tile = document.createElement("span");
    tile.className = "tile";
    tile.style.setProperty("--column", place[0]);
    tile.style.setProperty("--row", place[1]);
    tip.append(tile);
  }
  const list = document.createElement("dl");
  for (const [key, told] of Object.entries(typeof value === "object" ? value : { "": value })) {
    const [term, text] = [document.createElement("dt"), document.createElement("dd")];
    term.textContent = key;
    text.textContent = told;
    list.append(term, text);
  }
  tip.append(list);
  const { innerWidth, innerHeight } = window;
  const left = event.clientX + 14 + tip.offsetWidth > innerWidth
    ? event.clientX - 14 - tip.offsetWidth : event.clientX + 14;
  tip.style.left = Math.max(4, left) + "px";
  tip.style.top = Math.max(4, Math.min(event.clientY + 14, innerHeight - tip.offsetHeight - 4)) + "px";
}
addEventListener("scroll", () => { tip.hidden = true; }, { passive: true });

// --- a class

const classes = new Set([...document.querySelectorAll("#classes option")].map((o) => o.value));
function say(message) { // read out as well as shown
  control("class-said").textContent = message;
  control("class").setAttribute("aria-invalid", String(message !== ""));
}
function choose(name) {
  const chosen_class = name === state.chosen_class || !classes.has(name) ? "" : name;
  if (control("class")) {
    control("class").value = chosen_class;
    say("");
  }
  change({ chosen_class });
}
function clicked(item) {
  const name = item?.datum?.scope;
  if (name !== undefined && classes.has(String(name))) choose(String(name));
}
// The first class that begins as typed, or has it somewhere; undefined if there is none.
function meant(text) {
  const typed = text.trim().toLowerCase();
  const found = (test) => [...classes].find((name) => test(name.toLowerCase()));
  return !typed ? "" : classes.has(text) ? text
    : found((n) => n.startsWith(typed)) ?? found((n) => n.includes(typed));
}
control("class")?.addEventListener("input", ({ target }) => {
  const name = meant(target.value);
  say(name === undefined ? "No class is called so; all are shown." : "");
  // Half a name may become another one: what is shown stays until it is whole, or none.
  if (!name || name === target.value) change({ chosen_class: name ?? "" });
});
control("class")?.addEventListener("change", ({ target }) => {
  const name = meant(target.value);
  if (name === undefined) return; // what matches nothing stays, to be mended
  target.value = name;
  change({ chosen_class: name });
});

// --- a level of noise; left of the first are all of them

const all_levels = control("level-name")?.textContent;
control("level")?.addEventListener("input", ({ target }) => {
  const shown_level = levels[target.value - 1] ?? "";
  target.setAttribute("aria-valuetext", shown_level || all_levels);
  control("level-name").textContent = shown_level || all_levels;
  change({ shown_level });
});

// --- a feature space: its own figures and tables; paper has those of all

function show_space() {
  const chosen = control("space").value;
  for (const part of document.querySelectorAll("[data-space]"))
    part.classList.toggle("aside", part.dataset.space !== chosen);
}
if (control("space")) {
  control("space").addEventListener("change", show_space);
  show_space();
}
document.querySelector(".controls").addEventListener("submit", (event) => event.preventDefault());

// --- light and dark

const THEMES = ["auto", "light", "dark"];
const memory = (() => { try { return localStorage; } catch { return null; } })();
function paint(theme) {
  document.documentElement.dataset.theme = theme;
  control("theme-name").textContent = theme;
}
control("theme").addEventListener("click", () => {
  const theme = THEMES[(THEMES.indexOf(document.documentElement.dataset.theme) + 1) % 3];
  paint(theme);
  memory?.setItem("tdafeat-theme", theme);
});
paint(THEMES.find((theme) => theme === memory?.getItem("tdafeat-theme")) ?? "auto");

// --- downloads

function save(url, name) {
  const link = document.createElement("a");
  link.href = url;
  link.download = name.replace(/[^\w.-]+/g, "_");
  link.click();
}
document.addEventListener("click", async ({ target }) => {
  const kind = target.dataset?.save;
  if (!kind) return;
  if (kind === "csv") {
    const table = target.closest(".table").querySelector("table");
    const url = URL.createObjectURL(new Blob([csv(table)], { type: "text/csv;charset=utf-8" }));
    save(url, `${table.closest(".table").id}-${table.dataset.name}.csv`);
    URL.revokeObjectURL(url);
    return;
  }
  const figure = figures.get(target.closest("figure").querySelector(".chart"));
  await refresh(figure);
  await figure.drawing; // it may have begun before the click
  if (!figure.view) return;
  figure.view.background("white");
  const url = await figure.view.toImageURL(kind, kind === "png" ? 2 : 1);
  figure.view.background("transparent");
  save(url, `${target.closest("figure").id}-${figure.source.dataset.name}.${kind}`);
});

// --- where the reader is

const links = new Map([...document.querySelectorAll(".contents a")].map((a) => [a.hash.slice(1), a]));
const here = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (!isIntersecting) continue;
    for (const link of links.values()) link.removeAttribute("aria-current");
    links.get(target.id)?.setAttribute("aria-current", "true");
  }
}, { rootMargin: "-20% 0px -75% 0px" });
for (const id of links.keys()) here.observe(control(id));
const beside = matchMedia("(min-width: 76rem)"); // as page.css: else a wall before the answer
const unfold = () => { document.querySelector(".contents details").open = beside.matches; };
beside.addEventListener("change", unfold);
unfold();
