// Asks and shows the answer as it streams in. Without this script the form still works: the answer is the next page.
import "/static/citations.js";

const chat = document.querySelector(".chat");
const form = document.querySelector("#ask");
const field = document.querySelector("#question");
const log = document.querySelector("#log");
let session = form?.querySelector("[name=session_id]")?.value ?? "";

const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

const cite = (citation) => make("a", { className: "cite", href: citation.url, textContent: citation.name });

// The events of a stream of server-sent events, one after the other.
async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    rest += value;
    const blocks = rest.split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const line = (name) => block.split("\n").find((text) => text.startsWith(`${name}:`))?.slice(name.length + 1).trim();
      if (line("event")) yield { name: line("event"), data: JSON.parse(line("data")) };
    }
  }
}

function problem(exchange, detail, request) {
  const text = request ? `${detail} (request ${request})` : detail;
  exchange.append(make("div", { className: "notice bad", role: "alert" }, make("p", { textContent: text })));
}

function feedback(message) {
  const bar = make("div", { className: "feedback small" }, "Was this helpful?");
  for (const [label, helpful] of [["Yes", true], ["No", false]]) {
    const button = make("button", { type: "button", className: "quiet", textContent: label });
    button.addEventListener("click", async () => {
      const response = await fetch(`/v1/messages/${message}/feedback`, {
        method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ helpful }),
      });
      bar.replaceChildren(response.ok ? "Thank you. The editors will see it." : "Not sent. Please try again.");
    });
    bar.append(button);
  }
  return bar;
}

async function ask(question) {
  const exchange = make("article", { className: "exchange" }, make("h2", { className: "question", textContent: question }));
  const waiting = make("p", { className: "small", textContent: "Looking through the sources …" });
  exchange.append(waiting);
  log.append(exchange);
  document.querySelector("#suggestions")?.remove();
  const response = await fetch(`/v1/programs/${chat.dataset.program}/messages`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "text/event-stream" },
    body: JSON.stringify({ question, session_id: session }),
  });
  waiting.remove();
  if (response.status === 401) {
    problem(exchange, "Your session has ended. Sign in again; your question stays in the field.");
    field.value = question;
    return;
  }
  if (!response.ok) {
    const detail = await response.json().catch(() => ({}));
    problem(exchange, detail.detail ?? "Something went wrong.", detail.request_id);
    field.value = question;
    return;
  }
  let message = "";
  let answer = null;
  for await (const { name, data } of events(response)) {
    if (name === "meta") {
      session = data.session_id;
      message = data.message_id;
      for (const { from, to } of data.corrections) exchange.append(make("p", { className: "small", textContent: `Searched for “${to}” instead of “${from}”.` }));
      if (data.lexical_only) exchange.append(make("p", { className: "small", textContent: "No embedding model is loaded: only words were compared." }));
    } else if (name === "sentence") {
      answer ??= exchange.appendChild(make("div", { className: "answer" }));
      answer.append(make("p", {}, make("q", { textContent: data.text }), " ", ...data.citations.map(cite)));
    } else if (name === "closest") {
      const quotes = data.quotes.map((quote) => make("blockquote", {}, make("p", { textContent: quote.text }), ...quote.citations.map(cite)));
      exchange.append(make("div", { className: "closest" }, make("p", {}, make("strong", { textContent: "Closest passages." }), ` ${data.message}`), ...quotes));
    } else if (name === "refusal") {
      const list = make("ul", { className: "sources" }, ...data.sources.map((source) => make("li", {}, cite(source))));
      exchange.append(make("div", { className: "refusal" }, make("p", { textContent: data.message }), list));
    } else if (name === "done") {
      const percent = Math.round(data.confidence * 100);
      exchange.append(make("p", { className: "small why", textContent: `Confidence that the program holds the answer: ${data.confidence_label} (${percent} %). ${data.considered} passages were considered.` }), feedback(message));
    } else if (name === "error") {
      problem(exchange, data.detail, data.request_id);
    }
  }
  exchange.scrollIntoView({ block: "start" });
}

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const question = field.value.trim();
  if (!question) return;
  const button = form.querySelector("button");
  button.disabled = true;
  field.value = "";
  try {
    await ask(question);
  } catch {
    problem(log, "The connection was lost before the answer was complete. Ask again.");
    field.value = question;
  } finally {
    button.disabled = false;
    field.focus();
  }
});

field?.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey) {
    event.preventDefault();
    form.requestSubmit();
  }
});

document.addEventListener("click", (event) => {
  const chip = event.target.closest(".chip");
  if (!chip) return;
  field.value = chip.textContent;
  form.requestSubmit();
});

document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !event.target.matches("input, textarea")) {
    event.preventDefault();
    field?.focus();
  }
});
