// Follows slow work: looks at its status until it is done, then shows the page anew.
const PAUSE = 700;

async function follow(element) {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
    const response = await fetch(element.dataset.poll, { headers: { accept: "application/json" } });
    if (!response.ok) return;
    const status = await response.json();
    const work = status.indexing ?? (status.state === "extracting" ? status.progress : null);
    if (!work || work.problem) {
      // Nothing that somebody is typing may be lost.
      const typing = [...document.querySelectorAll("input:not([type=hidden]), textarea")].some((field) => field.value !== field.defaultValue);
      if (!typing) location.reload();
      return;
    }
    const bar = element.querySelector("progress");
    bar.max = Math.max(work.total, 1);
    bar.value = work.done;
    const count = element.querySelector(".count");
    if (count) count.textContent = `${work.done} of ${work.total} passages`;
  }
}

document.querySelectorAll("[data-poll]").forEach(follow);
