import { describe, expect, it } from 'vitest'
import { addDays, agree, dayOf, instantOf, isDay, minutesBetween, wallOf, weekOf } from '~/time/zoned'

describe('the wall of the clinic', () => {
  it('shows an instant in the clinic, wherever the viewer is', () => {
    expect(wallOf('2026-11-20T07:00:00Z', 'Asia/Yangon')).toBe('2026-11-20T13:30:00')
    expect(wallOf('2026-11-20T07:00:00Z', 'Europe/Berlin')).toBe('2026-11-20T08:00:00')
  })
  it('is read back to the same instant', () => {
    expect(instantOf('2026-11-20T13:30:00', 'Asia/Yangon')).toBe('2026-11-20T07:00:00Z')
  })
  it('takes the first existing instant after a gap', () => {
    expect(instantOf('2026-03-29T02:30:00', 'Europe/Berlin')).toBe('2026-03-29T01:30:00Z')
  })
  it('puts late evenings on their local day', () => {
    expect(dayOf('2026-11-20T22:30:00Z', 'Pacific/Auckland')).toBe('2026-11-21')
    expect(dayOf('2026-11-20T02:30:00Z', 'America/New_York')).toBe('2026-11-19')
  })
})

describe('days', () => {
  it('begin the week on Monday', () => {
    expect(weekOf('2026-11-22')).toBe('2026-11-16')
    expect(weekOf('2026-11-16')).toBe('2026-11-16')
  })
  it('go on over the end of a year', () => {
    expect(addDays('2026-12-31', 1)).toBe('2027-01-01')
  })
  it('are told from what is none', () => {
    expect(isDay('2026-02-30')).toBe(false)
    expect(isDay('2026-02-28')).toBe(true)
  })
})

describe('zones', () => {
  it('agree where their walls show the same at that instant', () => {
    expect(agree('Europe/London', 'UTC', '2026-01-01T00:00:00Z')).toBe(true)
    expect(agree('Europe/London', 'UTC', '2026-07-01T00:00:00Z')).toBe(false)
  })
  it('count minutes as they pass, over a change of the clocks too', () => {
    expect(minutesBetween('2026-03-29T00:30:00Z', '2026-03-29T01:30:00Z')).toBe(60)
  })
})
