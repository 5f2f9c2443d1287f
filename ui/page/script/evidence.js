// The evidence panel: the abstract beside the chat, the very sentence marked and scrolled to.
import { at, made } from "./common.js";

/** Id of what folds: as the reader left it. */
export const chosen = new Map();
let opener = null; // what opened the panel, to give the focus back to

const unfolded = (element) => {
  for (let one = element.closest("details"); one; one = one.parentElement.closest("details")) {
    chosen.set(one.id, true);
    one.open = true;
  }
};

const verdictOf = (link) => {
  if (!link.dataset.at) return null;
  const said = link.closest("[data-verdict]");
  if (said) {
    const copy = said.querySelector(".pc-verdict").cloneNode(true);
    copy.dataset.verdict = said.dataset.verdict;
    return copy;
  }
  const copy = made("p", "pc-verdict"); // a cell of a table is a quotation that stood the check
  copy.dataset.verdict = "supported";
  copy.append(made("span", "pc-badge", "Word for word in the abstract"));
  return copy;
};

const unlit = () => {
  for (const one of document.querySelectorAll(".pc-lit")) one.classList.remove("pc-lit");
};

const openInPlace = (proof, link) => { // on another tab there is no panel
  proof.hidden = !proof.hidden;
  for (const mark of proof.querySelectorAll("mark"))
    mark.classList.toggle("pc-here", !link.dataset.at
      || mark.dataset.for.split(" ").includes(link.dataset.at));
};

export const showEvidence = (link, withFocus = true) => {
  const source = at(link.hash.slice(1));
  const panel = at("pc-evidence");
  const proof = source?.querySelector(".pc-proof");
  if (!proof || !panel) return;
  if (!panel.closest("#pc-desk").offsetParent) {
    openInPlace(proof, link);
    return;
  }
  unfolded(source);
  const body = panel.querySelector(".pc-evidence-body");
  const title = source.querySelector(".pc-title").cloneNode(true);
  title.querySelectorAll("a").forEach((one) => one.remove());
  const copy = proof.cloneNode(true);
  copy.hidden = false;
  const verdict = verdictOf(link);
  const heading = made("h3", "pc-evidence-title", title.textContent.trim());
  const ask = made("button", "pc-act", "Ask about this paper");
  ask.dataset.do = "about";
  ask.dataset.title = heading.textContent;
  ask.type = "button";
  panel.querySelector(".pc-evidence-top").replaceChildren(heading, ...(verdict ? [verdict] : []));
  body.replaceChildren(copy, ask);
  const marks = [...copy.querySelectorAll("mark")];
  const here = marks.filter((mark) => mark.dataset.for.split(" ").includes(link.dataset.at));
  for (const mark of here) mark.classList.add("pc-here");
  panel.hidden = false;
  at("pc-desk").classList.add("pc-reading");
  unlit();
  link.classList.add("pc-lit");
  const first = here[0] ?? marks[0];
  body.scrollTop = first ? first.offsetTop - body.clientHeight / 3 : 0;
  if (withFocus) {
    opener = link;
    panel.focus({ preventScroll: true });
  }
};

/** Put the panel away; whether there was one to be seen. */
export const closeEvidence = () => {
  const panel = at("pc-evidence");
  if (!panel || panel.hidden || !panel.closest("#pc-desk").offsetParent) return false;
  panel.hidden = true;
  at("pc-desk").classList.remove("pc-reading");
  unlit();
  if (opener?.isConnected) opener.focus({ preventScroll: true });
  opener = null;
  return true;
};
