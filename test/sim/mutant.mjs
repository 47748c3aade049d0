// A deliberate fault: a file as seen from src/core, a text that occurs in it exactly once, and what it becomes.
export const mutant = (name, file, from, to) => ({ name, file, from, to });
