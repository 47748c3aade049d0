/** Fills in what a program's command, environment and paths say of the instance: `{{program}}`, `{{instance}}`, `{{index}}`. */
import type { Instance } from './instance.ts';

export function fillIn(text: string, instance: Pick<Instance, 'id' | 'index' | 'program'>): string {
  if (!text.includes('{{')) return text;
  return text.replace(/\{\{\s*(program|instance|index)\s*\}\}/g, (_, name: string) => {
    if (name === 'program') return instance.program.name;
    return name === 'index' ? String(instance.index) : instance.id;
  });
}
