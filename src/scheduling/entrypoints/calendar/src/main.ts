import { mount } from 'svelte'
import App from '~/app/App.svelte'
// Patients have Burmese names in whatever language the page is: the browser loads the
// letters when it meets the first, and from nowhere but here.
import '~/app/fonts.css'
import '~/app/styles.css'

const target = document.getElementById('page')
if (!target) throw new Error('index.html has no place for the page')
mount(App, { target })
