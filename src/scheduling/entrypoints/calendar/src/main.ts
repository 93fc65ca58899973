import { mount } from 'svelte'
import App from '~/app/App.svelte'
// Names are Burmese on an English page too; the font itself is fetched where they are.
import '@fontsource/noto-sans-myanmar/400.css'
import '@fontsource/noto-sans-myanmar/700.css'
import '~/app/styles.css'

const target = document.getElementById('page')
if (!target) throw new Error('index.html has no place for the page')
mount(App, { target })
