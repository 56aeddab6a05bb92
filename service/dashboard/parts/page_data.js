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
