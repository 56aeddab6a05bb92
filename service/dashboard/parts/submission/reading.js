// What is typed in the form, as the body of a request.
import { readChoices, readText } from "./typed_values.js";

const SAMPLES = 10; // where nothing is typed
export const form = document.getElementById("submit");
export const fields = () => document.getElementById("fields");

export const isShown = (field) => !field.closest("[data-kind-of][hidden]");

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

export function read() {
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
export function inAddress() {
  const value = readText("number", document.getElementById("f-precedence")?.value ?? "")?.value;
  return value === undefined ? {} : { precedence: value };
}
