// Questions as the service reads them: docs/questions.md.
export const quoted = (text) => `"${text.replace(/["\\]/g, "\\$&")}"`;
