import { defineConfig } from "vite";

export default defineConfig({
  base: "./",
  build: {
    outDir: "../fashionmap/explorer/static",
    emptyOutDir: true,
    target: "es2022",
    chunkSizeWarningLimit: 1500,
    modulePreload: { polyfill: false },
  },
});
