import { describe, expect, it } from 'vitest'
import { asksForDate, burmeseDate, PARTS } from '~/words/dates'

const said = (options: Intl.DateTimeFormatOptions, zone = 'UTC') =>
  burmeseDate(
    new Intl.DateTimeFormat('en-GB', { timeZone: zone, ...PARTS }).formatToParts(new Date('2026-11-20T20:30:00Z')),
    options,
  )

describe('a Burmese date', () => {
  it('has the parts that are asked for, from the largest to the smallest', () => {
    expect(said({ dateStyle: 'full' })).toBe('2026၊ နိုဝင်ဘာ 20၊ သောကြာ')
    expect(said({ dateStyle: 'long' })).toBe('2026၊ နိုဝင်ဘာ 20')
    expect(said({ day: 'numeric', month: 'short' })).toBe('နိုဝင်ဘာ 20')
    expect(said({ weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' })).toBe(
      'နိုဝင်ဘာ 20၊ သောကြာ၊ 20:30',
    )
    expect(said({ weekday: 'long' })).toBe('သောကြာ')
  })

  it('is that of the zone', () => {
    expect(said({ dateStyle: 'full' }, 'Asia/Yangon')).toBe('2026၊ နိုဝင်ဘာ 21၊ စနေ')
  })

  it('is not what a time is', () => {
    expect(asksForDate({ hour: '2-digit', minute: '2-digit' })).toBe(false)
    expect(asksForDate({ weekday: 'short' })).toBe(true)
  })
})
