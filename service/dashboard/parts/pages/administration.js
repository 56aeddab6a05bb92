// Buttons and forms that change workers, queues, keys, storage and webhooks: by the same routes as programs do.
import "./page.js";
import { ask, confirmed, say, readyToSend } from "../service/service.js";
import { refresh } from "../service/live.js";

// ---- buttons: data-verb and data-path say what; data-ask is asked first, data-reason is a field beside the question

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-verb]");
  if (!button) return;
  const { verb, path, ask: question, reason, body, done, secret, of, next } = button.dataset;
  let given = body ? JSON.parse(body) : undefined;
  if (question) {
    const agreed = await confirmed(question, reason, { optional: true });
    if (agreed === null || agreed === false) return;
    if (reason && agreed.trim()) given = { reason: agreed.trim() };
  }
  button.disabled = true;
  const answer = await ask(verb, path, { body: given, ofProject: "ofProject" in button.dataset });
  button.disabled = false;
  if (!answer) return;
  if (secret) await show(answer[secret]);
  else if (done) say(done);
  if (next && location.pathname !== new URL(next, location.href).pathname) return location.assign(next); // it is gone
  await refresh();
  (document.querySelector(`[data-of="${CSS.escape(of)}"]`) ?? document.getElementById("main")).focus({ preventScroll: true });
});

// ---- forms: their fields by name are the body; what is refused is told beside its field

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-send]");
  if (!form) return;
  event.preventDefault();
  tell(form, {});
  const { send, path, preview, secret, done } = form.dataset;
  const body = bodyOf(form);
  const more = { body, ofProject: "ofProject" in form.dataset, refused: (problem) => tell(form, problem) };
  if (preview !== undefined) {
    const would = await ask(send, path, { ...more, query: { preview: true } });
    if (!would || !(await confirmed(`${sentence(would.due)} ${preview} Set this rule?`))) return;
  }
  const button = form.querySelector("[type=submit]");
  button.disabled = true;
  const answer = await ask(send, path, more);
  button.disabled = false;
  if (!answer) return;
  if (secret) await show(answer[secret]);
  else say(done);
  if (secret) form.reset();
  await refresh();
});

for (const form of document.querySelectorAll("form[data-send]")) readyToSend(form);

const sentence = (due) => due === null ? "It is not known yet how many jobs this rule lets go."
  : `This rule lets ${due.toLocaleString("en")} ${due === 1 ? "job" : "jobs"} go now.`;

function bodyOf(form) {
  const body = {};
  for (const field of form.elements) {
    if (!field.name) continue;
    if ("list" in field.dataset) {
      body[field.name] ??= [];
      if (field.checked) body[field.name].push(field.value);
    } else if (field.type === "checkbox") body[field.name] = field.checked;
    else if (field.type === "number") {
      const unit = Number(form.querySelector(`[data-unit-of="${field.name}"]`)?.value ?? 1);
      if (field.value !== "") body[field.name] = unit === 1 ? Number(field.value) : Math.round(Number(field.value) * unit);
    } else if (field.value.trim()) body[field.name] = field.value.trim();
  }
  return body;
}

// Each part of a problem at the field that its pointer names; the rest below all fields.
function tell(form, problem) {
  const places = new Map([...form.querySelectorAll("[data-problem]")].map((place) => [place.dataset.problem, []]));
  for (const { pointer, message } of problem.errors ?? []) {
    const name = pointer.split("/")[1] ?? "";
    if (places.has(name) && name) places.get(name).push(`It ${message}`.replace(/^It (?=[A-Z])/, ""));
    else places.get("").push(`${pointer} ${message}`);
  }
  if (!problem.errors?.length && problem.detail) places.get("").push(problem.detail);
  let first = null;
  for (const place of form.querySelectorAll("[data-problem]")) {
    const name = place.dataset.problem;
    place.textContent = places.get(name).join("; ");
    place.hidden = !place.textContent;
    if (!name) continue;
    const fields = form.querySelectorAll(`[name="${name}"]`);
    for (const field of fields) {
      if (place.hidden) field.removeAttribute("aria-invalid");
      else field.setAttribute("aria-invalid", "true");
    }
    if (!place.hidden) first ??= fields[0];
  }
  first?.focus();
}

// ---- what is shown once

function show(secret) {
  const dialog = document.getElementById("secret");
  const text = document.getElementById("secret-text");
  const words = document.querySelector("#secret-copy span");
  text.textContent = secret;
  words.textContent = "Copy";
  const keep = (event) => event.preventDefault(); // for browsers that do not know closedby="none" yet
  dialog.addEventListener("cancel", keep);
  document.getElementById("secret-copy").onclick = async () => {
    window.getSelection().selectAllChildren(text);
    try {
      await navigator.clipboard.writeText(secret);
      words.textContent = "Copied";
    } catch { // not over plain http from another machine
      words.textContent = document.execCommand("copy") ? "Copied" : "Press Ctrl+C";
    }
  };
  document.getElementById("secret-done").onclick = () => {
    text.textContent = ""; // at once: the event "close" comes later than the dialog is gone
    dialog.close();
  };
  dialog.showModal();
  return new Promise((done) => dialog.addEventListener("close", () => {
    text.textContent = "";
    dialog.removeEventListener("cancel", keep);
    done();
  }, { once: true }));
}
