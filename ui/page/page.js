// What a person does on the page that needs no server, and how the rest is told to it.
(() => {
  "use strict";
  const chosen = new Map(); // id of what folds: as the reader left it
  let follow = null; // the turn that is scrolled to while it is answered, "reader", or "done"
  let opener = null; // what opened the evidence panel, to give the focus back to
  const wide = () => matchMedia("(min-width: 64rem)").matches;
  const at = (id) => document.getElementById(id);
  const made = (name, kind, text = "") => {
    const element = document.createElement(name);
    element.className = kind;
    element.textContent = text;
    return element;
  };

  // --- The evidence panel ------------------------------------------------------------------------
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
  const showEvidence = (link, withFocus = true) => {
    const source = at(link.hash.slice(1));
    const panel = at("pc-evidence");
    const proof = source?.querySelector(".pc-proof");
    if (!proof || !panel) return;
    if (!panel.closest("#pc-desk").offsetParent) { // another tab: the abstract opens in place
      proof.hidden = !proof.hidden;
      for (const mark of proof.querySelectorAll("mark"))
        mark.classList.toggle("pc-here", !link.dataset.at
          || mark.dataset.for.split(" ").includes(link.dataset.at));
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
    for (const one of document.querySelectorAll(".pc-lit")) one.classList.remove("pc-lit");
    link.classList.add("pc-lit");
    const first = here[0] ?? marks[0];
    body.scrollTop = first ? first.offsetTop - body.clientHeight / 3 : 0;
    if (withFocus) {
      opener = link;
      panel.focus({ preventScroll: true });
    }
  };
  const closeEvidence = () => {
    const panel = at("pc-evidence");
    if (!panel || panel.hidden) return false;
    panel.hidden = true;
    at("pc-desk").classList.remove("pc-reading");
    for (const one of document.querySelectorAll(".pc-lit")) one.classList.remove("pc-lit");
    if (opener?.isConnected) opener.focus({ preventScroll: true });
    opener = null;
    return true;
  };

  // --- Small things ------------------------------------------------------------------------------
  const say = (words) => {
    const place = at("pc-said");
    if (!place) return;
    place.textContent = words;
    place.classList.add("pc-seen");
    setTimeout(() => place.classList.remove("pc-seen"), 2000);
  };
  const copied = async (turn) => {
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
  const field = () => document.querySelector("#pc-question textarea");
  const write = (words) => {
    const box = field();
    box.value = words;
    box.dispatchEvent(new Event("input", { bubbles: true }));
    box.focus();
  };
  const tell = (what) => window.paperchat?.(what);
  const ask = async (path, options) => { // a piece of HTML that the server has escaped
    try {
      const reply = await fetch(path, options);
      return await reply.text();
    } catch {
      return '<p class="pc-problem" role="status">The server does not answer; try again.</p>';
    }
  };
  const post = (path, body) => ask(path, { method: "POST", body: JSON.stringify(body),
    headers: { "content-type": "application/json" } });
  const REASONS = ["The evidence does not fit", "Something is missing", "It should have answered",
    "It should have said that it does not know", "Another reason"];
  const askWhy = (turn) => {
    turn.querySelector(".pc-why")?.remove();
    const form = made("form", "pc-why");
    const legend = made("p", "", "What is wrong with it?");
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
    form.append(legend, more, ...choices);
    form.addEventListener("submit", (event) => event.preventDefault());
    turn.querySelector(".pc-foot").append(form);
    more.focus();
  };
  const rate = (button, turn) => {
    const way = button.getAttribute("aria-pressed") === "true" ? "" : button.dataset.way;
    for (const one of turn.querySelectorAll(".pc-thumb"))
      one.setAttribute("aria-pressed", String(one.dataset.way === way));
    tell({ do: "rate", turn: Number(turn.dataset.turn), way, reason: "" });
    turn.querySelector(".pc-why")?.remove();
    if (way === "down") askWhy(turn); else if (way) say("Thank you.");
  };
  const rename = (button) => {
    const row = button.closest("li");
    const title = row.querySelector(".pc-kept-title");
    const box = Object.assign(made("input", ""), { value: title.textContent, maxLength: 120 });
    box.setAttribute("aria-label", "The conversation's title");
    title.replaceWith(box);
    row.querySelector("details").open = false;
    box.addEventListener("keydown", (event) => {
      if (event.key === "Enter") tell({ do: "rename", id: row.dataset.id, title: box.value });
      if (event.key === "Enter" || event.key === "Escape") {
        event.preventDefault();
        box.replaceWith(title);
        title.focus();
      }
    });
    box.focus();
    box.select();
  };
  const surely = (button) => { // the second click deletes
    button.dataset.do = "delete";
    button.textContent = "Delete for good";
    button.focus();
  };
  const act = (button) => {
    const turn = button.closest(".pc-turn");
    const number = turn ? Number(turn.dataset.turn) : null;
    switch (button.dataset.do) {
      case "close": closeEvidence(); break;
      case "paper": openPaper(button.dataset.id); break;
      case "more": more(button); break;
      case "map": showMap(button); break;
      case "compare": compareTicked(); break;
      case "untick": for (const box of ticked()) box.checked = false; countTicked(); break;
      case "check": checkText(button); break;
      case "index": askAdd("/page/add/index"); break;
      case "drop": askAdd("/page/add/drop"); break;
      case "past":
        button.setAttribute("aria-expanded",
          String(button.parentElement.classList.toggle("pc-opened")));
        break;
      case "renaming": rename(button); break;
      case "deleting": surely(button); break;
      case "copy": copied(turn); break;
      case "rate": rate(button, turn); break;
      case "why":
        tell({ do: "rate", turn: number, way: "down",
          reason: [button.dataset.reason, turn.querySelector(".pc-why input").value]
            .filter(Boolean).join(": ") });
        turn.querySelector(".pc-why").remove();
        say("Thank you: this was noted.");
        break;
      case "about":
        showTab("Chat");
        write(`What does “${button.dataset.title.split(":")[0].trim()}” do?`);
        break;
      default: tell({ ...button.dataset, turn: number });
    }
  };
  const showTab = (words) => {
    for (const tab of document.querySelectorAll("button[role=tab]"))
      if (tab.textContent.trim() === words) tab.click();
  };

  // --- Papers ------------------------------------------------------------------------------------
  let asked = 0; // so that a slow reply to an earlier letter does not overwrite a later one
  const seekQuery = (start) => {
    const query = new URLSearchParams({ q: at("pc-seek").value, start });
    for (const one of document.querySelectorAll(".pc-filter")) query.set(one.dataset.name, one.value);
    return `/page/papers?${query}`;
  };
  const seek = async () => {
    const mine = ++asked;
    const html = await ask(seekQuery(0));
    if (mine !== asked) return;
    at("pc-found").innerHTML = html;
    keepTicks();
  };
  const more = async (button) => {
    const html = await ask(seekQuery(button.dataset.from));
    const last = button.closest("li");
    last.insertAdjacentHTML("beforebegin", html);
    last.remove();
    keepTicks();
  };
  const openPaper = async (id) => {
    const place = at("pc-read");
    place.innerHTML = await ask(`/page/papers/${encodeURIComponent(id)}`);
    place.focus({ preventScroll: wide() });
    if (!wide()) place.scrollIntoView({ block: "start" });
  };
  const picked = new Map(); // id: title, of what is ticked, also if it is filtered away
  const ticked = () => [...document.querySelectorAll(".pc-tick:checked")];
  const countTicked = () => {
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
  const compareTicked = async () => {
    const place = at("pc-compared");
    place.innerHTML = await post("/page/compare", { ids: [...picked.keys()] });
    place.scrollIntoView({ block: "nearest" });
  };
  const showMap = async (button) => {
    const place = at("pc-map");
    place.hidden = !place.hidden;
    button.setAttribute("aria-expanded", String(!place.hidden));
    if (place.hidden || at("pc-plot").childElementCount) return;
    if (!window.Plotly)
      await new Promise((done) => document.head.append(Object.assign(
        document.createElement("script"), { src: "/page/plotly.js", onload: done })));
    const { data, labels } = await (await fetch("/page/map")).json();
    const color = (name) => getComputedStyle(at("pc-map")).getPropertyValue(name).trim();
    const axis = { visible: false, fixedrange: !wide() };
    await Plotly.newPlot("pc-plot", data, {
      annotations: labels.map((one) => ({ ...one, font: { color: color("--pc-ink"), size: 12 },
        bgcolor: color("--pc-card"), opacity: .85 })),
      showlegend: false, xaxis: axis, yaxis: axis, margin: { l: 0, r: 0, t: 0, b: 0 },
      paper_bgcolor: "transparent", plot_bgcolor: "transparent", hovermode: "closest",
      hoverlabel: { bgcolor: color("--pc-card"), font: { color: color("--pc-ink") } },
    }, { displayModeBar: false, responsive: true, scrollZoom: false });
    at("pc-plot").on("plotly_click", (event) => openPaper(event.points[0].customdata));
  };
  document.addEventListener("input", (event) => {
    if (event.target.id === "pc-seek") seek();
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches(".pc-filter")) seek();
    if (event.target.matches(".pc-tick")) {
      if (!event.target.checked) picked.delete(event.target.value);
      countTicked();
    }
    if (event.target.id === "pc-files") addFiles(event.target.files);
  });

  // --- Check a text, add papers --------------------------------------------------------------------
  const checkText = async (button) => {
    button.disabled = true;
    const place = at("pc-verdicts");
    place.innerHTML = '<p class="pc-step" role="status">Checking each sentence…</p>';
    place.innerHTML = await post("/page/check",
      { text: at("pc-claims").value, title: at("pc-against").value });
    button.disabled = false;
    place.focus({ preventScroll: true });
    place.scrollIntoView({ block: "nearest" });
  };
  const showWaiting = async () => {
    const place = at("pc-waiting");
    if (!place) return;
    place.innerHTML = await ask("/page/add");
    if (place.querySelector("[data-busy]")) setTimeout(showWaiting, 700);
  };
  const askAdd = async (path) => {
    const said = await post(path, {});
    await showWaiting();
    if (said.includes("pc-problem")) at("pc-waiting").insertAdjacentHTML("afterbegin", said);
  };
  const addFiles = async (files) => {
    let problems = "";
    for (const file of files)
      problems += await ask(`/page/add?name=${encodeURIComponent(file.name)}`,
        { method: "POST", body: file });
    await showWaiting();
    at("pc-waiting").insertAdjacentHTML("afterbegin", problems);
  };
  for (const kind of ["dragover", "drop"])
    document.addEventListener(kind, (event) => {
      if (!event.target.closest?.(".pc-drop")) return;
      event.preventDefault();
      if (kind === "drop") addFiles(event.dataTransfer.files);
    });

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a.pc-marker, a.pc-open");
    if (link) {
      event.preventDefault();
      showEvidence(link);
    }
    const button = event.target.closest("button[data-do]");
    if (button) act(button);
    const folds = event.target.closest("summary")?.parentElement;
    if (folds?.id && !folds.matches(".pc-menu")) chosen.set(folds.id, !folds.open);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.defaultPrevented) {
      const stop = at("pc-stop");
      if (stop?.offsetParent) stop.click();
      else if (!closeEvidence()) document.querySelector('[data-do="keep"]')?.click();
    }
  });

  // --- What was there before -----------------------------------------------------------------------
  const restore = async () => {
    const wanted = sessionStorage.getItem("paperchat") ?? "";
    if (!window.paperchat || !document.querySelector("#pc-conversations .pc-aside")) {
      setTimeout(restore, 50);
      return;
    }
    if (wanted) tell({ do: "open", id: wanted });
    else {
      const html = await ask("/page/conversations");
      const list = document.querySelector("#pc-conversations .pc-aside");
      if (list && !list.querySelector(".pc-kept")) list.outerHTML = html;
    }
  };
  restore();

  // --- Following the answer that is being written ------------------------------------------------
  for (const kind of ["wheel", "touchmove", "keydown"])
    document.addEventListener(kind, (event) => {
      if (kind !== "keydown" || /Arrow|Page|Home|End/.test(event.key)) follow = "reader";
    }, { passive: true });
  const finish = (turn) => {
    const followed = follow === turn.id;
    follow = "done";
    const first = turn.querySelector(".pc-side-by-side") ? null
      : turn.querySelector(".pc-marker[data-at]:not([data-at=''])");
    if (wide() && first) showEvidence(first, false);
    else closeEvidence();
    if (followed) turn.scrollIntoView({ block: "start" });
  };
  let last = null; // a copy of the last turn once it is finished, as the reader left it
  const moved = (turn) => { // when the next one begins, it goes to those before it
    if (!turn) { last = null; return; }
    if (last && last.id !== turn.id && !at(last.id)
        && Number(last.dataset.turn) === Number(turn.dataset.turn) - 1) {
      at("pc-past").append(last);
      last = null;
    }
    if (turn.dataset.state === "finished") last = turn.cloneNode(true);
  };
  new MutationObserver(() => {
    moved(document.querySelector("#pc-now .pc-turn"));
    const here = at("pc-here")?.dataset.conversation;
    if (here !== undefined && here !== sessionStorage.getItem("paperchat"))
      sessionStorage.setItem("paperchat", here);
    const turn = document.querySelector("#pc-now .pc-turn");
    if (!turn) {
      if (chosen.size) chosen.clear();
      if (follow !== null) { follow = null; closeEvidence(); }
      return;
    }
    if (turn.dataset.state !== "working") { if (follow !== "done") finish(turn); return; }
    if (follow === "done" || follow === null) follow = turn.id;
    if (follow === turn.id) turn.scrollIntoView({ block: "start" });
  }).observe(document, {
    subtree: true, childList: true, attributes: true, attributeFilter: ["open", "data-state", "aria-pressed"],
  });
})();
