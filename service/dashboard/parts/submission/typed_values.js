// What is typed into a field, read as a value of a spec or, where it is several, as an axis of a sweep.
const NUMBER = "[+-]?(?:\\d+\\.?\\d*|\\.\\d+)(?:[eE][+-]?\\d+)?";
const ONE = new RegExp(`^${NUMBER}$`);
const RANGE = new RegExp(`^(${NUMBER})\\s*:\\s*(${NUMBER})(?:\\s*:\\s*(${NUMBER}))?$`);
const DRAWN = new RegExp(`^(${NUMBER})\\s*\\.\\.\\s*(${NUMBER})(?:\\s+(log))?$`);

// A number that JSON can say; any other text stays a text, and the service says what is wrong with it.
function number(text) {
  const value = Number(text);
  const exact = Number.isFinite(value) && (!/^[+-]?\d+$/.test(text) || Number.isSafeInteger(value));
  return ONE.test(text) && exact ? value : text;
}

function json(text) {
  try { return JSON.parse(text); } catch { return number(text); }
}

const pieces = (text) => text.split(/[\s,;]+/).filter(Boolean);

function several(values) {
  return values.length > 1 ? { axis: values, count: values.length } : { value: values[0] };
}

const READ = {
  text: (text) => ({ value: text }),
  json: (text) => ({ value: json(text) }),
  numbers: (text) => ({ value: text.startsWith("[") ? json(text) : pieces(text).map(number) }),
  number(text) {
    const drawn = DRAWN.exec(text);
    if (drawn) return { drawn: { low: number(drawn[1]), high: number(drawn[2]), ...(drawn[3] ? { scale: "log" } : {}) } };
    const range = RANGE.exec(text);
    if (!range) return text.startsWith("[") ? READ.value(text) : several(pieces(text).map(number));
    const [start, stop, step] = range.slice(1).map((each) => each === undefined ? undefined : number(each));
    const count = Math.max(0, Math.ceil((stop - start) / (step ?? 1) - 1e-9));
    return { axis: { start, stop, ...(step === undefined ? {} : { step }) }, count };
  },
  value(text) {
    if (/^[[{"]/.test(text)) {
      const whole = json(text);
      return Array.isArray(whole) && whole.length ? several(whole) : { value: whole };
    }
    return several(text.split(",").map((each) => each.trim()).filter(Boolean).map(json));
  },
  tags(text) {
    if (text.startsWith("{")) return { value: json(text) };
    const pairs = text.split(/[,;\n]+/).map((each) => each.trim()).filter(Boolean);
    return { value: Object.fromEntries(pairs.map((each) => {
      const [key, ...rest] = each.split("=");
      return [key.trim(), rest.join("=").trim()];
    })) };
  },
  ids: (text) => ({ value: text.startsWith("[") ? json(text) : pieces(text) }),
};

// { value }, { axis, count }, { drawn }: at random for each job, or, of nothing, null.
export function readText(kind, text) {
  const trimmed = text.trim();
  return trimmed && trimmed.replace(/[\s,;]/g, "") ? READ[kind](trimmed) : null;
}

export const readChoices = (chosen) => chosen.length ? several(chosen.map((each) => JSON.parse(each))) : null;
