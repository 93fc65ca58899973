import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vite'

// Served by the API below /calendar/, under a policy that allows no inline script and
// no inline style: nothing may be inlined, also not small pictures as data.
export default defineConfig({
  base: '/calendar/',
  plugins: [svelte()],
  resolve: { alias: { '~': new URL('./src', import.meta.url).pathname } },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 700,
  },
  // `npm run dev`: the page from here, everything else from a running `scheduling dev`.
  server: {
    proxy: {
      '/v1': 'http://127.0.0.1:8080',
      '/calendar/config.json': 'http://127.0.0.1:8080',
      '/calendar/personas': 'http://127.0.0.1:8080',
    },
  },
})
