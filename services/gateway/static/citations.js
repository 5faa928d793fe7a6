// Opens citations beside the answer, goes through them, and gives the focus back to the one that was opened.
import { show } from "/static/source.js";
import { localize } from "/static/times.js";

const chat = document.querySelector(".chat");
const panel = document.querySelector("#panel");
const content = document.querySelector("#panel-content");
let opened = null;

const all = () => [...document.querySelectorAll("#log a.cite")];

export async function open(link) {
  const response = await fetch(link.href);
  // A source that was replaced has a page that says so, beside the answer like any other.
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const viewer = page.querySelector("#viewer");
  if (!viewer) {
    location.href = link.href;
    return;
  }
  viewer.querySelector("h1")?.replaceWith(Object.assign(document.createElement("h2"), { textContent: viewer.querySelector("h1").textContent }));
  viewer.removeAttribute("id");
  localize(viewer);
  content.replaceChildren(document.adoptNode(viewer));
  mark(link);
  panel.hidden = false;
  chat.classList.add("open");
  panel.focus();
  await show(content.querySelector("mark"));
}

function mark(link) {
  opened?.removeAttribute("aria-current");
  opened = link;
  opened.setAttribute("aria-current", "true");
}

export function close() {
  if (panel.hidden) return;
  panel.hidden = true;
  chat.classList.remove("open");
  content.replaceChildren();
  opened?.removeAttribute("aria-current");
  opened?.focus();
  opened = null;
}

export function step(by) {
  const links = all();
  if (!links.length) return;
  const next = links[(links.indexOf(opened) + by + links.length) % links.length];
  open(next);
}

document.querySelector("#panel-close").addEventListener("click", close);
document.querySelector("#panel-next").addEventListener("click", () => step(1));
document.querySelector("#panel-previous").addEventListener("click", () => step(-1));

document.addEventListener("click", (event) => {
  const link = event.target.closest("#log a.cite");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  open(link);
});

document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input, textarea");
  if (event.key === "Escape") close();
  if (typing || panel.hidden || event.altKey || event.metaKey) return;
  if (event.key === "ArrowRight") step(1);
  if (event.key === "ArrowLeft") step(-1);
});
