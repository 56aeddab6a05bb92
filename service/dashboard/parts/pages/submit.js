// The page of the form: reads what is typed, asks the service whether it is valid, shows it as programs, submits it.
import { asCommand, asCurl, asPython } from "./as_programs.js";
import { asked } from "./page_data.js";
import { ask, projectQuery, root } from "./service.js";
import { readChoices, readText } from "./typed_values.js";

const PAUSE_MS = 250;
const SAMPLES = 10; // where nothing is typed
const LONGEST_PAUSE_MS = 2000; // a check of 100,000 jobs takes the service seconds
const form = document.getElementById("submit");
const verdict = document.getElementById("verdict");
const fields = () => document.getElementById("fields");
const project = document.body.dataset.project;
const url = `${location.origin}${root.replace(/\/$/, "")}`;

// ---- what is typed, as the body of a request

const isShown = (field) => !field.closest("[data-kind-of][hidden]");

function readField(field) {
  if (field.dataset.kind !== "choices") return readText(field.dataset.kind, field.querySelector("input").value);
  return readChoices([...field.querySelectorAll("input:checked")].map((each) => each.value));
}

function put(spec, path, value) {
  const [outer, inner] = path.split(/\.(.*)/s);
  if (inner === undefined) spec[outer] = value;
  else (spec[outer] ??= {})[inner] = value;
}

// A part is sent where another kind than the usual one is chosen, or something is typed in it; then with its kind.
function putPart(spec, part) {
  const chosen = part.querySelector("select")?.selectedOptions[0];
  const kind = part.querySelector(".kind:not([hidden])");
  const isTyped = kind && [...kind.querySelectorAll(".field")].some(readField);
  if (!kind || !(isTyped || (chosen && !("default" in chosen.dataset)))) return;
  spec[part.dataset.part] = part.dataset.tag ? { [part.dataset.tag]: kind.dataset.kindName } : {};
}

function read() {
  const spec = { stage: fields().dataset.stage };
  const [grid, random] = [{}, {}];
  let count = 1;
  for (const field of fields().querySelectorAll(".field, .part")) {
    if (field.matches(".part")) {
      putPart(spec, field);
      continue;
    }
    const typed = isShown(field) ? readField(field) : null;
    if (typed?.axis) {
      grid[field.dataset.path] = typed.axis;
      count *= typed.count;
    } else if (typed?.drawn) random[field.dataset.path] = typed.drawn;
    else if (typed) put(spec, field.dataset.path, typed.value);
  }
  const isDrawn = Object.keys(random).length > 0;
  document.getElementById("draws").hidden = !isDrawn;
  if (!isDrawn && !Object.keys(grid).length) return { path: "jobs", body: spec, count };
  const { name, depends_on, ...rest } = spec;
  const ofBatch = { ...(name === undefined ? {} : { name }), ...(depends_on === undefined ? {} : { depends_on }) };
  const draws = isDrawn ? { random, ...drawing() } : {};
  return { path: "batches", body: { ...ofBatch, spec: rest, grid, ...draws }, count: count * (isDrawn ? Number(draws.samples) || 1 : 1) };
}

// How often it is drawn, and from which seed.
function drawing() {
  const typed = ["samples", "random_seed"].map((name) => [name, readText("number", document.getElementById(`f-${name}`).value)?.value]);
  return { samples: SAMPLES, ...Object.fromEntries(typed.filter(([, value]) => value !== undefined)) };
}

// What goes into the address: for operators, before which work it goes.
function inAddress() {
  const value = readText("number", document.getElementById("f-precedence")?.value ?? "")?.value;
  return value === undefined ? {} : { precedence: value };
}

// ---- what the service says of it, beside the fields

const places = () => [...form.querySelectorAll("[data-problem]")].filter((place) => isShown(place));

// The path in the spec to which a pointer into a job or sweep leads, and which value of an axis it means.
function placeOf(pointer, isSweep) {
  const parts = pointer.split("/").slice(1).map((each) => each.replaceAll("~1", "/").replaceAll("~0", "~"));
  if (!isSweep) return { path: parts.join(".") };
  if (parts[0] === "random") return { path: parts[1] ?? "" };
  if (parts[0] === "grid") return { path: parts[1] ?? "", which: /^\d+$/.test(parts[2]) ? Number(parts[2]) + 1 : null };
  return { path: (parts[0] === "spec" ? parts.slice(1) : parts).join(".") };
}

function nearest(path) {
  for (let outer = path; outer; outer = outer.slice(0, Math.max(0, outer.lastIndexOf(".")))) {
    const found = places().find((place) => place.dataset.problem === outer);
    if (found) return found;
  }
  return document.getElementById("other-problems");
}

function tell(said, isSweep) {
  const texts = new Map();
  for (const { pointer, message, isWarning } of said) {
    const { path, which } = placeOf(pointer, isSweep);
    const place = nearest(path);
    const about = place.dataset.problem ? "" : pointer ? `${pointer} ` : "";
    const told = texts.get(place) ?? { lines: [], isWarning: true };
    told.lines.push(`${about}${which ? `value ${which}: ` : ""}${message}`);
    told.isWarning &&= Boolean(isWarning);
    texts.set(place, told);
  }
  for (const place of form.querySelectorAll("[data-problem]")) {
    const told = texts.get(place);
    const text = told?.lines.join("; ") ?? "";
    if (place.textContent !== text) place.textContent = text;
    place.hidden = !text;
    place.classList.toggle("warning", Boolean(told?.isWarning));
    const inputs = place.closest(".field, .beside-spec")?.querySelectorAll("input") ?? [];
    for (const input of inputs) {
      if (told && !told.isWarning) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
    }
    if (text && place.closest("details")) place.closest("details").open = true;
  }
}

const jobs = (count) => `${count.toLocaleString("en")} ${count === 1 ? "job" : "jobs"}`;

function say(state, text) {
  verdict.dataset.state = state;
  if (verdict.textContent !== text) verdict.textContent = text;
}

function problemsOf(problem) {
  return problem.errors?.length ? problem.errors : [{ pointer: "", message: problem.detail ?? "The service refused it." }];
}

function refused(problem, isSweep) {
  const said = problemsOf(problem);
  tell(said, isSweep);
  say("wrong", said.length === 1 ? "One thing is not valid." : `${said.length} things are not valid.`);
}

function numbersOf(resolved) {
  const words = [];
  if (typeof resolved?.learning_rate === "number") words.push(`learning rate ${Number(resolved.learning_rate.toPrecision(4))}`);
  if (typeof resolved?.attainable_loss === "number") words.push(`least squares reaches a loss of ${Number(resolved.attainable_loss.toPrecision(5))}`);
  return words.length ? ` ${words.join("; ")}.`.replace(/ (\w)/, (_, letter) => ` ${letter.toUpperCase()}`) : "";
}

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

function showKind(part) {
  const chosen = part.querySelector("select")?.value;
  if (chosen === undefined) return;
  for (const kind of part.querySelectorAll(".kind")) kind.hidden = kind.dataset.kindName !== chosen;
}

// ---- another stage: what was typed stays where the new stage has such a field

document.getElementById("stages").addEventListener("click", async (event) => {
  const link = event.target.closest("a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const response = await fetch(link.href, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!response?.ok) return location.assign(link.href);
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  const newer = document.adoptNode(fresh.getElementById("fields"));
  carryOver(fields(), newer);
  fields().replaceWith(newer);
  for (const each of document.querySelectorAll("#stages a")) {
    if (each === link) each.setAttribute("aria-current", "true");
    else each.removeAttribute("aria-current");
  }
  history.replaceState(null, "", link.href);
  changed();
});

function carryOver(old, newer) {
  for (const part of old.querySelectorAll(".part")) {
    const chosen = part.querySelector("select")?.selectedOptions[0];
    const same = newer.querySelector(`.part[data-part="${CSS.escape(part.dataset.part)}"]`);
    const option = chosen && !("default" in chosen.dataset) && same?.querySelector(`option[value="${CSS.escape(chosen.value)}"]`);
    if (!option) continue;
    option.selected = true;
    showKind(same);
  }
  for (const input of old.querySelectorAll(".field input")) {
    const kind = input.closest(".kind")?.dataset.kindName;
    const path = input.closest(".field").dataset.path;
    const within = kind === undefined ? newer : newer.querySelector(`[data-kind-of="${CSS.escape(path.split(".")[0])}"][data-kind-name="${CSS.escape(kind)}"]`);
    const field = within?.querySelector(`.field[data-path="${CSS.escape(path)}"]`);
    if (input.type === "checkbox" && input.checked) field?.querySelector(`input[value="${CSS.escape(input.value)}"]`)?.setAttribute("checked", "");
    else if (input.type !== "checkbox" && input.value && field?.querySelector("input:not([type=checkbox])")) field.querySelector("input").value = input.value;
  }
  const more = newer.querySelector("#more");
  if (more) more.open = old.querySelector("#more")?.open ?? more.open;
}

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
window.addEventListener("pageshow", changed);
changed();
form.querySelector("[type=submit]").disabled = false; // a browser would send the form by itself before this line
