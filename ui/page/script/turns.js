// What can be done with a finished turn, and with a kept conversation.
import { made, say, tell } from "./common.js";

export const copyTurn = async (turn) => {
  const words = turn.querySelector(".pc-copied").textContent;
  try {
    await navigator.clipboard.writeText(words);
  } catch { // not over plain http from another machine
    const box = document.createElement("textarea");
    box.value = words;
    document.body.append(box);
    box.select();
    document.execCommand("copy");
    box.remove();
  }
  say("Copied, with its sources.");
};

const REASONS = ["The evidence does not fit", "Something is missing", "It should have answered",
  "It should have said that it does not know", "Another reason"];

const askWhy = (turn) => {
  const form = made("form", "pc-why");
  const choices = REASONS.map((reason) => {
    const button = made("button", "pc-act", reason);
    button.type = "button";
    button.dataset.do = "why";
    button.dataset.reason = reason;
    return button;
  });
  const more = Object.assign(made("input", ""), { placeholder: "In your words (optional)",
    maxLength: 500 });
  more.setAttribute("aria-label", "What is wrong, in your words");
  form.append(made("p", "", "What is wrong with it?"), more, ...choices);
  form.addEventListener("submit", (event) => { // Enter in the field sends the words alone
    event.preventDefault();
    if (more.value.trim()) sayWhy(turn, "");
  });
  turn.querySelector(".pc-foot").append(form);
  more.focus();
};

export const sayWhy = (turn, reason) => {
  const form = turn.querySelector(".pc-why");
  const words = [reason, form.querySelector("input").value.trim()].filter(Boolean).join(": ");
  tell({ do: "rate", turn: Number(turn.dataset.turn), way: "down", reason: words });
  form.remove();
  turn.querySelector("[data-way=down]").focus();
  say("Thank you: this was noted.");
};

export const rate = (button, turn) => {
  const way = button.getAttribute("aria-pressed") === "true" ? "" : button.dataset.way;
  for (const one of turn.querySelectorAll(".pc-thumb"))
    one.setAttribute("aria-pressed", String(one.dataset.way === way));
  tell({ do: "rate", turn: Number(turn.dataset.turn), way, reason: "" });
  turn.querySelector(".pc-why")?.remove();
  if (way === "down") askWhy(turn); else if (way) say("Thank you.");
};

export const rename = (button) => {
  const row = button.closest("li");
  const title = row.querySelector(".pc-kept-title");
  const box = Object.assign(made("input", ""), { value: title.textContent, maxLength: 120 });
  box.setAttribute("aria-label", "The conversation's title");
  title.replaceWith(box);
  row.querySelector("details").open = false;
  const back = () => { if (box.isConnected) box.replaceWith(title); };
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== "Escape") return;
    event.preventDefault();
    if (event.key === "Enter" && box.value.trim()) {
      title.textContent = box.value.trim();
      tell({ do: "rename", id: row.dataset.id, title: box.value });
    }
    back();
    title.focus();
  });
  box.addEventListener("blur", back);
  box.focus();
  box.select();
};

/** The second click deletes; looking elsewhere takes the first one back. */
export const surely = (button) => {
  button.dataset.do = "delete";
  button.textContent = "Delete for good";
  button.addEventListener("blur", () => {
    button.dataset.do = "deleting";
    button.textContent = "Delete";
  }, { once: true });
  button.focus();
};

/** Close the menu of a kept conversation; whether one was open. */
export const closeMenu = (except = null) => {
  const open = [...document.querySelectorAll(".pc-menu[open]")].filter((one) => one !== except);
  for (const menu of open) menu.open = false;
  if (!except) open[0]?.querySelector("summary").focus();
  return open.length > 0;
};
