// The answer that is being written: followed, moved to the earlier ones, found again after a reload.
import { ask, at, here, tell, wide } from "./common.js";
import { chosen, closeEvidence, showEvidence } from "./evidence.js";

let follow = null; // the turn that is scrolled to while it is answered, "reader", or "done"
let last = null; // a copy of the last turn once it is finished, as the reader left it
const current = () => document.querySelector("#pc-now .pc-turn");

const finish = (turn) => {
  const followed = follow === turn.id;
  follow = "done";
  const first = turn.querySelector(".pc-side-by-side") ? null
    : turn.querySelector(".pc-marker[data-at]:not([data-at=''])");
  if (wide() && first) showEvidence(first, false);
  else closeEvidence();
  if (followed) turn.scrollIntoView({ block: "start" });
};

const moved = (turn) => { // when the next one begins, it goes to those before it
  if (!turn) { last = null; return; }
  if (last && last.id !== turn.id && !at(last.id)
      && Number(last.dataset.turn) < Number(turn.dataset.turn)) {
    at("pc-past").append(last);
    last = null;
  }
  if (turn.dataset.state === "finished") last = turn.cloneNode(true);
};

/** What this tab showed before it was loaded again, until it shows a conversation. */
let awaited = sessionStorage.getItem("paperchat") ?? "";

const remembered = () => { // of this tab, so that two tabs may hold two conversations
  if (!at("pc-here") || (awaited && !here())) return; // the welcome comes first, and is none
  awaited = "";
  if (here() !== sessionStorage.getItem("paperchat")) sessionStorage.setItem("paperchat", here());
};

const changed = () => {
  const turn = current();
  moved(turn);
  remembered();
  if (!turn) {
    if (chosen.size) chosen.clear();
    if (follow !== null) { follow = null; closeEvidence(); }
    return;
  }
  if (turn.dataset.state !== "working") { if (follow !== "done") finish(turn); return; }
  if (follow === "done" || follow === null) follow = turn.id;
  if (follow === turn.id) turn.scrollIntoView({ block: "start" });
};

/** Open the conversation that this tab showed before it was loaded again. */
const restore = async () => {
  const wanted = awaited;
  if (!window.paperchat || !document.querySelector("#pc-conversations .pc-aside")) {
    setTimeout(restore, 50);
    return;
  }
  if (wanted) {
    tell({ do: "open", id: wanted });
    return;
  }
  const html = await ask("/page/conversations");
  const list = document.querySelector("#pc-conversations .pc-aside");
  if (list && !list.querySelector(".pc-kept")) list.outerHTML = html;
};

/** Begin to watch the page. */
export const watch = () => {
  restore();
  for (const kind of ["wheel", "touchmove", "keydown"])
    document.addEventListener(kind, (event) => {
      if (kind !== "keydown" || /Arrow|Page|Home|End/.test(event.key)) follow = "reader";
    }, { passive: true });
  new MutationObserver(changed).observe(document, {
    subtree: true, childList: true, attributes: true,
    attributeFilter: ["open", "data-state", "aria-pressed"],
  });
};
