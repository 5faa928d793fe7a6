// Shows times in the reader's own zone, with UTC on hover.
for (const time of document.querySelectorAll("time[datetime]")) {
  const instant = new Date(time.dateTime);
  if (Number.isNaN(instant.getTime())) continue;
  time.title = time.dateTime;
  time.textContent = instant.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}
