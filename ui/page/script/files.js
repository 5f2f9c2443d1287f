// A text to be checked, and papers to be added from files.
import { ask, at, post } from "./common.js";

export const checkText = async (button) => {
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

export const askAdd = async (path) => {
  const said = await post(path, {});
  await showWaiting();
  if (said.includes("pc-problem")) at("pc-waiting").insertAdjacentHTML("afterbegin", said);
};

export const addFiles = async (files) => {
  const place = at("pc-waiting");
  place.innerHTML = '<p class="pc-step" role="status">Reading the files…</p>';
  let problems = "";
  for (const file of files)
    problems += await ask(`/page/add?name=${encodeURIComponent(file.name)}`,
      { method: "POST", body: file });
  await showWaiting();
  place.insertAdjacentHTML("afterbegin", problems);
  at("pc-files").value = ""; // so that the same file can be given again once it is mended
};

export const dropped = (event) => {
  const place = event.target.closest?.(".pc-drop");
  if (!place) return;
  event.preventDefault();
  place.classList.toggle("pc-over", event.type === "dragover");
  if (event.type === "drop") addFiles(event.dataTransfer.files);
};
