// What every other part uses: finding and making elements, asking the server, telling the reader.

export const wide = () => matchMedia("(min-width: 64rem)").matches;
export const at = (id) => document.getElementById(id);

/** A new element of the class `kind`, with `text` as text. */
export const made = (name, kind, text = "") => {
  const element = document.createElement(name);
  element.className = kind;
  element.textContent = text;
  return element;
};

/** A short message that goes by itself; screen readers speak it. */
let going = 0;
export const say = (words) => {
  const place = at("pc-said");
  if (!place) return;
  place.textContent = words;
  place.classList.add("pc-seen");
  clearTimeout(going);
  going = setTimeout(() => place.classList.remove("pc-seen"), 2000);
};

/** Tell the chat's server side what was done; see `acted` in ui/page/chat.py. */
export const tell = (what) => window.paperchat?.({ ...what, ...click() });

/** The conversation that the page shows; the server may have forgotten this page meanwhile. */
export const here = () => at("pc-here")?.dataset.conversation ?? "";

/** What the server is told of a click: its number, since two may reach it in any order. */
let clicks = 0;
const click = () => ({ click: ++clicks, here: here() });
window.paperchatClick = () => JSON.stringify(click());

/** A piece of HTML from the server, which has escaped what is in it. */
export const ask = async (path, options) => {
  try {
    const reply = await fetch(path, options);
    if (reply.status === 401) {
      location.assign("/login"); // signed out meanwhile, perhaps in another tab
      return "";
    }
    return await reply.text();
  } catch {
    return '<p class="pc-problem" role="status">The server does not answer; try again.</p>';
  }
};
export const post = (path, body) => ask(path, { method: "POST", body: JSON.stringify(body),
  headers: { "content-type": "application/json" } });

/** Put `words` into the question's field, as if they had been typed. */
export const write = (words) => {
  const box = document.querySelector("#pc-question textarea");
  box.value = words;
  box.dispatchEvent(new Event("input", { bubbles: true }));
  box.focus();
};

export const showTab = (words) => {
  for (const tab of document.querySelectorAll("button[role=tab]"))
    if (tab.textContent.trim() === words) tab.click();
};
