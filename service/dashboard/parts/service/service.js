// The service's own API, with the session of this page.
export const root = document.body.dataset.root;
const project = document.body.dataset.project;

export function projectQuery(more = {}) {
  const pairs = Array.isArray(more) ? more : Object.entries(more); // pairs: a name may be there several times
  return new URLSearchParams([...(project ? [["project", project]] : []), ...pairs]).toString();
}

function address(path, more) {
  const query = projectQuery(more);
  return `${root}v1/${path}${query ? `?${query}` : ""}`;
}

// The answer of a request; null where it was refused, and then people are told why unless `quiet`, or `refused` gets
// the problem. What is of no project (workers, queues, keys) is asked for without one.
// file: its bytes are the body.
export async function ask(method, path, { body, file, query, accept = "application/json", headers = {}, quiet = false, refused, ofProject = true } = {}) {
  let response;
  try {
    response = await fetch(ofProject ? address(path, query) : `${root}v1/${path}`, {
      method,
      headers: { ...headers, Accept: accept, ...typeOf(body, file) },
      body: file ?? (body === undefined ? undefined : JSON.stringify(body)),
    });
  } catch {
    if (!quiet) say("The service does not answer. Is it up?");
    return null;
  }
  if (response.ok) return accept === "application/json" ? (response.status === 204 ? {} : response.json()) : response;
  if (refused) refused(await response.json().catch(() => ({ detail: `The service answered ${response.status}.` })));
  else if (!quiet) say(await words(response));
  return null;
}

const typeOf = (body, file) => file ? { "Content-Type": "application/octet-stream" }
  : body === undefined ? {} : { "Content-Type": "application/json" };

export const get = (path, query, quiet = false) => ask("GET", path, { query, quiet });
export const post = (path, body) => ask("POST", path, { body });

export async function words(response) {
  const problem = await response.json().catch(() => ({}));
  const places = (problem.errors ?? []).slice(0, 3).map((each) => `${each.pointer} ${each.message}`);
  return places.length ? places.join("; ") : problem.detail ?? `The service answered ${response.status}.`;
}

// A form that a script sends: its button waits until then, since a browser would send the form by itself.
export function readyToSend(form) {
  form.querySelector("[type=submit]").disabled = false;
}

let hiding;
export function say(text) {
  const notice = document.getElementById("notice");
  notice.textContent = text;
  notice.classList.add("shown");
  clearTimeout(hiding);
  hiding = setTimeout(() => notice.classList.remove("shown"), 6000);
}

// A question in the page's own dialog: true or false, or with a field the text that was entered (null: no).
export function confirmed(question, field, { optional = false } = {}) {
  const dialog = document.getElementById("ask");
  document.getElementById("ask-words").textContent = question;
  const input = document.getElementById("ask-text");
  document.getElementById("ask-field").hidden = !field;
  input.required = Boolean(field) && !optional;
  input.value = "";
  if (field) document.querySelector("label[for=ask-text]").textContent = field;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((done) => dialog.addEventListener("close", () => {
    const yes = dialog.returnValue === "yes";
    done(field ? (yes ? input.value : null) : yes);
  }, { once: true }));
}
