// The page of the form: asks the service whether it is valid, shows it as programs, submits it.
import "./page.js";
import { ask, projectQuery, root, readyToSend } from "../service/service.js";
import { asked } from "../service/page_data.js";
import { asCommand, asCurl, asPython } from "../submission/as_programs.js";
import { fields, form, inAddress, read } from "../submission/reading.js";
import { followStages, showKind } from "../submission/stages.js";
import { jobs, numbersOf, refused, say, tell } from "../submission/verdict.js";

const PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 2000; // a check of 100,000 jobs takes the service seconds
const project = document.body.dataset.project;
const url = `${location.origin}${root.replace(/\/$/, "")}`;

// ---- live: as one types

let timer = null;
let checks = 0;

function changed() {
  const { path, body, count } = read();
  const isSweep = path === "batches";
  const about = { body, path, url, project, query: projectQuery(inAddress()), ...inAddress(), needsKey: form.dataset.needsKey === "true" };
  for (const [name, written] of [["curl", asCurl], ["command", asCommand], ["python", asPython]]) {
    document.getElementById(`${name}-text`).textContent = written(about);
  }
  document.getElementById("send-words").textContent = isSweep ? `Submit ${jobs(count)}` : "Submit";
  clearTimeout(timer);
  timer = setTimeout(() => check(path, body), Math.min(LONGEST_PAUSE_MS, PAUSE_MS + count / 10));
}

async function check(path, body) {
  const mine = ++checks;
  const isSweep = path === "batches";
  const isOld = () => mine !== checks; // another one was asked for since
  const answer = await asked("submit/check", body, inAddress(), (problem) => isOld() || refused(problem, isSweep));
  if (isOld() || !answer) return;
  tell((answer.warnings ?? []).map(({ pointer, message, count }) => (
    { pointer: isSweep ? `/spec${pointer}` : pointer, message: count > 1 ? `${jobs(count)}: ${message}` : message, isWarning: true }
  )), isSweep);
  say("valid", isSweep ? `Valid: ${jobs(answer.size)}.` : `Valid.${numbersOf(answer.resolved)}`);
}

form.addEventListener("input", (event) => {
  const part = event.target.matches("select") && event.target.closest(".part");
  if (part) showKind(part);
  changed();
});

// ---- submitted: the same key for the same body, so that a lost answer makes no second job

let sent = { text: null, key: null };
const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((each) => each.toString(16).padStart(2, "0")).join("");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  clearTimeout(timer);
  checks += 1;
  const { path, body } = read();
  const text = `${path} ${JSON.stringify([inAddress(), body])}`;
  if (sent.text !== text) sent = { text, key: newKey() };
  const button = form.querySelector("[type=submit]");
  button.disabled = true;
  const made = await ask("POST", path, { body, query: inAddress(), headers: { "Idempotency-Key": sent.key }, refused: (problem) => refused(problem, path === "batches") });
  button.disabled = false;
  if (made) return location.assign(`${root}${path}/${made.id}?${projectQuery()}`);
  form.querySelector("[aria-invalid]")?.focus();
});

for (const part of fields().querySelectorAll(".part")) showKind(part); // a browser that goes back restores choices alone
followStages(changed);
window.addEventListener("pageshow", changed);
changed();
readyToSend(form);
