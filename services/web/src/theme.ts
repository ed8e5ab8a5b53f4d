// Light or dark: as the system says, or as the visitor chose.
import { computed, effect, signal } from "@preact/signals";
import { DARK, LIGHT } from "./draw/palette";

export type Theme = "auto" | "light" | "dark";

const system = matchMedia("(prefers-color-scheme: dark)");
const systemDark = signal(system.matches);
system.addEventListener("change", () => (systemDark.value = system.matches));

export const theme = signal<Theme>(kept());
export const dark = computed(() => (theme.value === "auto" ? systemDark.value : theme.value === "dark"));
export const palette = computed(() => (dark.value ? DARK : LIGHT));

effect(() => {
  document.documentElement.dataset["theme"] = dark.value ? "dark" : "light";
  try {
    localStorage.setItem("fashionmap-theme", theme.value);
  } catch {
    // a page without storage forgets the choice
  }
});

function kept(): Theme {
  try {
    const value = localStorage.getItem("fashionmap-theme");
    return value === "light" || value === "dark" ? value : "auto";
  } catch {
    return "auto";
  }
}
