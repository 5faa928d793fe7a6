// The main flow, by a client that was generated from the document: nothing is called past it.

import * as api from "./client";
import { createClient } from "./client/client";

declare const process: { argv: string[]; exit(code: number): never };

const [url = "", adminToken = "", reviewerToken = "", appToken = "", earnedToken = "", credit = ""] = process.argv.slice(2);
const as = (token: string) => createClient({ baseUrl: url, auth: () => token });
const [admin, reviewer, app, earned] = [as(adminToken), as(reviewerToken), as(appToken), as(earnedToken)];
const doses = "# Doses\n\nThe usual starting dose of apixaban in most adults is 5 mg taken twice a day.\n";

/** What an answer holds; it has to have the status. */
function told<T>(what: string, answer: { data?: T; error?: unknown; response?: Response }, status: number): T {
  if (answer.response?.status !== status) {
    throw new Error(`${what}: ${answer.response?.status} ${JSON.stringify(answer.error)}`);
  }
  return answer.data as T;
}

async function until(what: string, look: () => Promise<{ state: string }>, state: string): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if ((await look()).state === state) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${what} did not become ${state}`);
}

async function main(): Promise<void> {
  const headers = { "Idempotency-Key": "typescript-1" };
  const made = await api.createProgram({ client: admin, headers, body: { title: "Doses", objectives: ["Name the usual doses"] } });
  const program = told("createProgram", made, 201);
  const path = { id: program.id };
  const condition = { "If-Match": made.response?.headers.get("etag") ?? "" };
  told("updateProgram", await api.updateProgram({ client: admin, path, headers: condition, body: { summary: "Typed" } }), 200);
  const late = await api.updateProgram({ client: admin, path, headers: condition, body: { summary: "Late" } });
  told("updateProgram", late, 412);
  if (late.error?.code !== "REVISION_CONFLICT") throw new Error("a problem has its code");

  const file = new File([doses], "doses.md", { type: "text/markdown" });
  const source = told("uploadSource", await api.uploadSource({ client: admin, path, body: { file } }), 202);
  const at = { id: source.id };
  await until("the source", async () => told("getSource", await api.getSource({ client: admin, path: at }), 200), "draft");
  told("submitSource", await api.submitSource({ client: admin, path: at }), 200);
  const approval = { approve: true, reason: "Read in full" };
  told("decideSource", await api.decideSource({ client: admin, path: at, body: approval }), 409);
  told("decideSource", await api.decideSource({ client: reviewer, path: at, body: approval }), 200);
  told("publishProgram", await api.publishProgram({ client: admin, path, body: { reason: "First version" } }), 202);
  await until("the program", async () => told("getProgram", await api.getProgram({ client: admin, path }), 200), "published");

  const token = told("issueLearnerToken", await api.issueLearnerToken({ client: app, path, body: { user_hash: "typescript" } }), 201);
  const learner = as(token.token);
  const question = "What is the usual starting dose of apixaban?";
  const reply = told("ask", await api.ask({ client: learner, path, body: { question } }), 200);
  if (typeof reply === "string") throw new Error("nobody asked for a stream");
  told("leaveFeedback", await api.leaveFeedback({ client: learner, path: { id: reply.message_id }, body: { helpful: true } }), 204);

  const certificate = told("getCertificate", await api.getCertificate({ client: earned, path: { id: credit }, parseAs: "blob" }), 200);
  const beginning = await (certificate as Blob).slice(0, 5).text();
  if (beginning !== "%PDF-") throw new Error(`the certificate begins with ${beginning}`);
}

main().then(
  () => console.log("the whole main flow"),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
