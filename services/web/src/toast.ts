// A sentence that passes.
import { signal } from "@preact/signals";

export const said = signal("");
let waiting = 0;

export function toast(sentence: string, seconds = 7): void {
  said.value = sentence;
  clearTimeout(waiting);
  waiting = window.setTimeout(() => (said.value = ""), seconds * 1000);
}
