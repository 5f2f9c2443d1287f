// The papers' tab: search as one types, read, tick and compare, and the map.
import { ask, at, post, wide } from "./common.js";

let asked = 0; // so that a slow reply to an earlier letter does not overwrite a later one
const seekQuery = (start) => {
  const query = new URLSearchParams({ q: at("pc-seek").value, start });
  for (const one of document.querySelectorAll(".pc-filter")) query.set(one.dataset.name, one.value);
  return `/page/papers?${query}`;
};

export const seek = async () => {
  const mine = ++asked;
  const html = await ask(seekQuery(0));
  if (mine !== asked) return;
  at("pc-found").innerHTML = html;
  keepTicks();
};

export const more = async (button) => {
  button.disabled = true; // a second click would show the same papers twice
  const html = await ask(seekQuery(button.dataset.from));
  const last = button.closest("li");
  const before = last.previousElementSibling;
  last.insertAdjacentHTML("beforebegin", html);
  last.remove();
  keepTicks();
  before?.nextElementSibling?.querySelector(".pc-paper")?.focus({ preventScroll: true });
};

export const openPaper = async (id) => {
  const place = at("pc-read");
  place.innerHTML = await ask(`/page/papers/${encodeURIComponent(id)}`);
  place.classList.remove("pc-nothing");
  place.scrollTop = 0;
  place.focus({ preventScroll: wide() });
  if (!wide()) place.scrollIntoView({ block: "start" });
};

// --- Comparing ---------------------------------------------------------------------------------

const picked = new Map(); // id: true, of what is ticked, also if it is filtered away

export const countTicked = () => {
  for (const box of document.querySelectorAll(".pc-tick"))
    if (box.checked) picked.set(box.value, true); else picked.delete(box.value);
  at("pc-compare").hidden = picked.size === 0;
  at("pc-ticked").textContent = picked.size > 5 ? `${picked.size} papers: five at most`
    : `${picked.size} ${picked.size === 1 ? "paper: tick another" : "papers"}`;
  document.querySelector("[data-do=compare]").disabled = picked.size < 2 || picked.size > 5;
};
const keepTicks = () => {
  for (const box of document.querySelectorAll(".pc-tick")) box.checked = picked.has(box.value);
};
export const untick = () => {
  picked.clear();
  keepTicks();
  countTicked();
  at("pc-compared").replaceChildren();
  at("pc-seek").focus();
};
export const compareTicked = async (button) => {
  button.disabled = true;
  const place = at("pc-compared");
  place.innerHTML = '<p class="pc-step" role="status">Reading them side by side…</p>';
  place.innerHTML = await post("/page/compare", { ids: [...picked.keys()] });
  button.disabled = false;
  place.scrollIntoView({ block: "start" });
  place.focus({ preventScroll: true });
};

// --- The map -----------------------------------------------------------------------------------

const loaded = () => window.Plotly ? Promise.resolve() : new Promise((done, failed) => {
  document.head.append(Object.assign(document.createElement("script"),
    { src: "/page/plotly.js", onload: done, onerror: failed }));
});

/** Take away labels that would lie over an earlier one: on a phone not all have room. */
const thinned = (plot) => {
  const kept = [];
  for (const label of plot.querySelectorAll(".annotation")) {
    const box = label.getBoundingClientRect();
    const covered = kept.some((one) => box.left < one.right && one.left < box.right
      && box.top < one.bottom && one.top < box.bottom);
    label.style.visibility = covered ? "hidden" : "";
    if (!covered) kept.push(box);
  }
};

const draw = async (plot) => {
  const { data, labels } = await (await fetch("/page/map")).json();
  const color = (name) => getComputedStyle(at("pc-map")).getPropertyValue(name).trim();
  const axis = { visible: false, fixedrange: !wide() };
  await Plotly.newPlot(plot, data, {
    annotations: labels.map((one) => ({ ...one, font: { color: color("--pc-ink"), size: 12 },
      bgcolor: color("--pc-card"), opacity: .85 })),
    showlegend: false, xaxis: axis, yaxis: axis, margin: { l: 0, r: 0, t: 0, b: 0 },
    paper_bgcolor: "transparent", plot_bgcolor: "transparent", hovermode: "closest",
    hoverlabel: { bgcolor: color("--pc-card"), font: { color: color("--pc-ink") } },
  }, { displayModeBar: false, responsive: true, scrollZoom: false });
  thinned(plot);
  plot.on("plotly_afterplot", () => thinned(plot));
  plot.on("plotly_click", (event) => openPaper(event.points[0].customdata));
};

export const showMap = async (button) => {
  const place = at("pc-map");
  const plot = at("pc-plot");
  place.hidden = !place.hidden;
  button.setAttribute("aria-expanded", String(!place.hidden));
  if (place.hidden || plot.childElementCount) return;
  plot.textContent = "Drawing…";
  try {
    await loaded();
    plot.textContent = "";
    await draw(plot);
  } catch {
    plot.textContent = "The map could not be drawn; close it and try again.";
    plot.dataset.failed = "1";
  }
};
