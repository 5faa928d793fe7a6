// Shows times in the reader's own zone, with UTC on hover.
export function localize(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const instant = new Date(time.dateTime);
    if (Number.isNaN(instant.getTime())) continue;
    time.title = time.dateTime;
    time.textContent = instant.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
  }
}

localize(document);
