import { describe, expect, it } from 'vitest'
import en from '~/words/en'
import my from '~/words/my'

const words = Object.entries(en) as [keyof typeof en, string][]
const places = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort()

/** Names that are written so everywhere */
const NAMES = new Set(['WhatsApp', 'SMS'])

describe('the Burmese catalogue', () => {
  it('says everything in Burmese that has a letter in English', () => {
    // What stands between placeholders alone is no word: `{from} – {to}`.
    const spoken = words.filter(([, text]) => !NAMES.has(text) && /\p{Letter}/u.test(text.replace(/\{\w+\}/g, '')))
    expect(spoken.filter(([word]) => !/[\u1000-\u109f]/.test(my[word])).map(([word]) => word)).toEqual([])
  })
  it('fills in the same as the English one', () => {
    expect(words.filter(([word, text]) => `${places(my[word])}` !== `${places(text)}`).map(([word]) => word)).toEqual([])
  })
})
