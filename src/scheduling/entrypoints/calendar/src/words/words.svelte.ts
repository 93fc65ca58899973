/** The page's words in the chosen language, and dates, times and numbers as it writes them. */
import en from '~/words/en'
import { Refusal } from '~/api/refusal'
import type { Instant, Wall } from '~/time/zoned'
import { asksForDate, burmeseDate, PARTS } from '~/words/dates'

export type Word = keyof typeof en
export type Language = 'en' | 'my'

export const LANGUAGES: Record<Language, string> = { en: 'English', my: 'မြန်မာ' }
/** A language's name is written in itself. */

const LOCALES: Record<Language, string> = { en: 'en-GB', my: 'my-MM-u-nu-latn' }
/** Not every browser has Burmese digits; those that have would mix them with the others. */
const REMEMBERED = 'scheduling.language'

const preferred = (): Language => {
  const known = localStorage.getItem(REMEMBERED) ?? navigator.language.slice(0, 2)
  return known === 'my' ? 'my' : 'en'
}

class Words {
  language = $state<Language>('en')
  private wanted: Language = 'en'
  private catalogue = $state.raw<Record<Word, string>>(en)
  readonly locale = $derived(LOCALES[this.language])

  async open(): Promise<void> {
    // Without its words the page is there in English.
    await this.choose(preferred()).catch(() => undefined)
  }

  /** The Burmese catalogue is loaded by who reads it. */
  async choose(language: Language): Promise<void> {
    this.wanted = language
    const chosen: Record<Word, string> = language === 'my' ? await burmese() : en
    if (this.wanted !== language) return
    this.catalogue = chosen
    this.language = language
    document.documentElement.lang = language
    localStorage.setItem(REMEMBERED, language)
  }

  say(word: Word, filling: Record<string, string | number> = {}): string {
    return this.catalogue[word].replace(/\{(\w+)\}/g, (_, name: string) => {
      const given = filling[name] ?? ''
      return typeof given === 'number' ? this.number(given) : given
    })
  }

  /** A key that is put together, as `status.` and a status: itself where there is none. */
  named(room: string, name: string): string {
    const word = `${room}.${name}`
    return word in this.catalogue ? this.catalogue[word as Word] : name
  }

  refusal(refused: Refusal): string {
    const word = `refusal.${refused.code}`
    return word in this.catalogue
      ? this.catalogue[word as Word]
      : this.say('refusal.other', { code: refused.code })
  }

  number(value: number, options: Intl.NumberFormatOptions = {}): string {
    return new Intl.NumberFormat(this.locale, options).format(value)
  }

  time(instant: Instant, zone: string): string {
    return this.format(instant, zone, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
  }

  date(instant: Instant, zone: string): string {
    return this.format(instant, zone, { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' })
  }

  /** A local day or wall time: no zone moves it. */
  day(wall: Wall, options: Intl.DateTimeFormatOptions = { dateStyle: 'full' }): string {
    return this.format(`${wall.slice(0, 10)}T00:00:00Z`, 'UTC', options)
  }

  format(instant: Instant, zone: string, options: Intl.DateTimeFormatOptions): string {
    if (this.language === 'my' && asksForDate(options))
      return burmeseDate(formatter('en-GB', zone, PARTS).formatToParts(new Date(instant)), options)
    return formatter(this.locale, zone, options).format(new Date(instant))
  }

  /** The zone's short name at that instant: `CET`, `GMT+6:30`. */
  zoneName(instant: Instant, zone: string): string {
    const parts = formatter(this.locale, zone, { timeZoneName: 'short' }).formatToParts(new Date(instant))
    return parts.find((part) => part.type === 'timeZoneName')?.value ?? zone
  }
}

/** With its letters, so that nobody sees boxes first; without them where they do not come. */
async function burmese(): Promise<Record<Word, string>> {
  const letters = [400, 700].map((weight) => document.fonts.load(`${weight} 1em "Noto Sans Myanmar"`, 'က'))
  const loaded = import('~/words/my').catch(() => {
    throw Refusal.unreachable()
  })
  const [catalogue] = await Promise.all([loaded, Promise.allSettled(letters)])
  return catalogue.default
}

/** Making a formatter costs far more than using it; a day's grid needs hundreds. */
const made = new Map<string, Intl.DateTimeFormat>()

function formatter(locale: string, zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale} ${zone} ${JSON.stringify(options)}`
  let one = made.get(key)
  if (!one) made.set(key, (one = new Intl.DateTimeFormat(locale, { timeZone: zone, ...options })))
  return one
}

export const words = new Words()
export const say = words.say.bind(words)
