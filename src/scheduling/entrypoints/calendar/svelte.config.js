import { vitePreprocess } from '@sveltejs/vite-plugin-svelte'

export default {
  preprocess: vitePreprocess({ script: true }),
  // Runes in our own files; the calendar component brings its own compiled way.
  compilerOptions: { runes: undefined },
}
