/** The Burmese catalogue with its font: a chunk of its own. */
import '@fontsource/noto-sans-myanmar/400.css'
import '@fontsource/noto-sans-myanmar/700.css'

export { default } from '~/words/my'
