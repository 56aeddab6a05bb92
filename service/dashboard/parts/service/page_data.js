// Figures that the page itself serves to its scripts, beside the service's API.
import { projectQuery, root, words } from "./service.js";

// The answer; throws an Error whose message is for people.
export async function figures(path, query) {
  const asked = projectQuery(Object.fromEntries(Object.entries(query).filter(([, value]) => value)));
  const response = await fetch(`${root}${path}${asked ? `?${asked}` : ""}`, { headers: { Accept: "application/json" } })
    .catch(() => { throw new Error("The service does not answer. Is it up?"); });
  if (!response.ok) throw Object.assign(new Error(await words(response)), { isForNow: response.status === 503 });
  return response.json();
}

// What the page asked for in its head, while its scripts were on their way: once, null where there is nothing of it.
export async function early(id) {
  const link = document.getElementById(id);
  if (!link) return null;
  link.removeAttribute("id");
  const response = await fetch(link.href, { headers: { Accept: "application/json" } }).catch(() => null);
  return response?.ok ? response.json() : null;
}

// The answer to what the page itself is sent; of a refusal `refused` gets the problem, and there is no answer.
export async function asked(path, body, query, refused) {
  const response = await fetch(`${root}${path}?${projectQuery(query)}`, {
    method: "POST", headers: { Accept: "application/json", "Content-Type": "application/json" }, body: JSON.stringify(body),
  }).catch(() => null);
  if (!response) return null; // the service is away: the next change asks again
  const answer = await response.json().catch(() => ({ status: response.status, detail: `The service answered ${response.status}.` }));
  if (response.ok && !(answer.status >= 400)) return answer;
  refused(answer);
  return null;
}
