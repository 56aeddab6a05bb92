// The runs that the page of a batch shows, as last loaded, and where on the page they are drawn.
import { projectQuery, root } from "../service/service.js";

export const element = (id) => document.getElementById(id);
export const head = () => element("live-head");
export const id = head().dataset.batch;
export const state = { runs: null, band: null, top: new Map(), counts: "" };
export const jobAddress = (job) => `${root}jobs/${job}?${projectQuery()}`;
export const nameOf = (at) => state.runs.names?.[at] ?? `…${state.runs.ids[at].slice(-8)}`;

export function asked() {
  const address = new URLSearchParams(location.search);
  return { where: address.get("where") ?? "", metric: address.get("metric") ?? "", mode: address.get("mode") ?? "" };
}

// Of the parameters that differ, those that matter most first.
export const names = () => [...new Set([...Object.keys(state.runs.importance), ...Object.keys(state.runs.parameters)])];
