// What a person does on the page: every click and key, and the part that it concerns.
import { at, showTab, tell, write } from "./common.js";
import { chosen, closeEvidence, showEvidence } from "./evidence.js";
import { addFiles, askAdd, checkText, dropped } from "./files.js";
import { watch } from "./follow.js";
import { compareTicked, countTicked, more, openPaper, seek, showMap, untick } from "./papers.js";
import { closeMenu, copyTurn, rate, rename, sayWhy, surely } from "./turns.js";

const ACTS = {
  close: closeEvidence,
  paper: (button) => openPaper(button.dataset.id),
  more, map: showMap, compare: compareTicked, untick, check: checkText,
  index: () => askAdd("/page/add/index"),
  drop: () => askAdd("/page/add/drop"),
  past: (button) => button.setAttribute("aria-expanded",
    String(button.parentElement.classList.toggle("pc-opened"))),
  renaming: rename, deleting: surely,
  copy: (_, turn) => copyTurn(turn),
  rate,
  why: (button, turn) => sayWhy(turn, button.dataset.reason),
  about: (button) => {
    showTab("Chat");
    write(`What does “${button.dataset.title.split(":")[0].trim()}” do?`);
  },
};

document.addEventListener("click", (event) => {
  const link = event.target.closest("a.pc-marker, a.pc-open");
  if (link) {
    event.preventDefault();
    showEvidence(link);
  }
  const button = event.target.closest("button[data-do]");
  if (button) {
    const turn = button.closest(".pc-turn");
    const act = Object.hasOwn(ACTS, button.dataset.do) ? ACTS[button.dataset.do] : null;
    if (act) act(button, turn);
    else tell({ ...button.dataset, turn: turn ? Number(turn.dataset.turn) : null });
  }
  closeMenu(event.target.closest(".pc-menu") ?? document.body);
  const folds = event.target.closest("summary")?.parentElement;
  if (folds?.id && !folds.matches(".pc-menu")) chosen.set(folds.id, !folds.open);
});

document.addEventListener("keydown", (event) => { // Esc ends the nearest thing that can end
  if (event.key !== "Escape" || event.defaultPrevented) return;
  const stop = at("pc-stop");
  if (stop?.offsetParent) { stop.click(); return; }
  const why = document.activeElement?.closest(".pc-why");
  if (why) {
    const thumb = why.closest(".pc-turn").querySelector("[data-way=down]");
    why.remove();
    thumb.focus();
    return;
  }
  if (!closeMenu() && !closeEvidence()) document.querySelector('[data-do="keep"]')?.click();
});

document.addEventListener("input", (event) => {
  if (event.target.id === "pc-seek") seek();
});

document.addEventListener("change", (event) => {
  if (event.target.matches(".pc-filter")) seek();
  if (event.target.matches(".pc-tick")) countTicked();
  if (event.target.id === "pc-files") addFiles(event.target.files);
});

for (const kind of ["dragover", "dragleave", "drop"]) document.addEventListener(kind, dropped);

watch();
