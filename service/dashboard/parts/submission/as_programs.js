// A submission as people write it elsewhere: for curl, the gradyard command, and the Client of Python.
const indent = "  ";

// ---- JSON with a space after each comma and colon

function json(value) {
  if (Array.isArray(value)) return `[${value.map(json).join(", ")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  return `{${Object.entries(value).map(([name, each]) => `${JSON.stringify(name)}: ${json(each)}`).join(", ")}}`;
}

const quoted = (text) => /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

// ---- curl

export function asCurl({ body, path, url, query, needsKey }) {
  return [
    `curl ${quoted(`${url}/v1/${path}${query ? `?${query}` : ""}`)}`,
    `${indent}-H 'Content-Type: application/json'`,
    ...(needsKey ? [`${indent}-H "Authorization: Bearer $GRADYARD_KEY"`] : []),
    `${indent}-d ${quoted(json(body))}`,
  ].join(" \\\n");
}

// ---- the command

// A text as `--set` reads it: JSON where it would be read as something else.
function argument(path, value) {
  if (typeof value !== "string") return json(value);
  if (path === "name" || path === "pool" || path.startsWith("tags.")) return value;
  const isOther = value.trim() === "" || /^[[{"]|^(true|false|null)$/.test(value) || !Number.isNaN(Number(value));
  return isOther ? JSON.stringify(value) : value;
}

function assignments(value, path) {
  const inner = value !== null && typeof value === "object" && !Array.isArray(value) ? Object.entries(value) : [];
  const plain = inner.length && inner.every(([name]) => name && !/[.=]/.test(name));
  if (path && !plain) return [`--set ${quoted(`${path}=${argument(path, value)}`)}`];
  return inner.flatMap(([name, each]) => assignments(each, path ? `${path}.${name}` : name));
}

function axis(values, path) {
  if (!Array.isArray(values)) return [values.start, values.stop, values.step].filter((each) => each !== undefined).join(":");
  const texts = values.map((each) => argument(path, each));
  return (texts.every((each) => !/[,[{"]/.test(each)) ? texts : values.map(json)).join(",");
}

const drawn = ({ low, high, scale }) => [low, high, ...(scale ? [scale] : [])].join(":");

export function asCommand({ body, url, project, precedence }) {
  const isSweep = "grid" in body;
  const { stage, name, depends_on: before, ...spec } = isSweep ? { ...body.spec, name: body.name, depends_on: body.depends_on } : body;
  const place = /\/\/(127\.0\.0\.1|localhost|\[::1\])[:/]/.test(`${url}/`) ? [] : [`--url ${quoted(url)}`];
  const after = (Array.isArray(before) ? before : []).map((each) => typeof each === "string" ? `--after ${quoted(each)}`
    : `${each?.condition === "ended" ? "--after-any" : "--after"} ${quoted(String(each?.id))}`);
  const named = name === undefined ? [] : [isSweep ? `--name ${quoted(name)}` : `--set ${quoted(`name=${name}`)}`];
  const words = [
    `gradyard ${isSweep ? "sweep" : "submit"} --stage ${quoted(stage)}`, ...place, ...(project ? [`--project ${quoted(project)}`] : []),
    ...named, ...assignments(spec, ""),
    ...Object.entries(body.grid ?? {}).map(([path, values]) => `--grid ${quoted(`${path}=${axis(values, path)}`)}`),
    ...Object.entries(body.random ?? {}).map(([path, values]) => `--random ${quoted(`${path}=${drawn(values)}`)}`),
    ...(body.random ? [`--samples ${body.samples}`] : []), ...(body.random_seed ? [`--random-seed ${body.random_seed}`] : []),
    ...after, ...(precedence ? [`--precedence ${precedence}`] : []),
  ];
  return words.join(words.join(" ").length > 60 ? ` \\\n${indent}` : " ");
}

// ---- Python

function python(value) {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return `[${value.map(python).join(", ")}]`;
  if (typeof value !== "object") return JSON.stringify(value);
  return `{${Object.entries(value).map(([name, each]) => `${JSON.stringify(name)}: ${python(each)}`).join(", ")}}`;
}

function pythonAxis(values) {
  const parts = [values.start, values.stop, values.step ?? 1];
  if (Array.isArray(values) || !parts.every(Number.isInteger)) return python(values);
  return `range(${(parts[2] === 1 ? parts.slice(parts[0] === 0 ? 1 : 0, 2) : parts).join(", ")})`;
}

export function asPython({ body, url, project, precedence }) {
  const isSweep = "grid" in body;
  const { grid, spec, random, samples, random_seed: seed, ...rest } = isSweep ? body : { spec: null, ...body };
  const given = Object.entries(isSweep ? { ...spec, ...rest } : rest).map(([name, value]) => `${name}=${python(value)}`);
  if (isSweep && Object.keys(grid).length) given.push(`grid={${Object.entries(grid).map(([path, values]) => `${JSON.stringify(path)}: ${pythonAxis(values)}`).join(", ")}}`);
  if (random) given.push(`random=${python(random)}`, `samples=${python(samples)}`, ...(seed ? [`random_seed=${python(seed)}`] : []));
  if (precedence) given.push(`precedence=${precedence}`);
  const inside = given.join(", ").length > 50 ? `\n    ${given.join(",\n    ")},\n` : given.join(", ");
  const service = [JSON.stringify(url), ...(project ? [`project=${python(project)}`] : [])].join(", ");
  const call = isSweep ? "batch = client.sweep" : "job = client.submit";
  return `from gradyard import Client\n\nclient = Client(${service})\n${call}(${inside})\n`;
}
