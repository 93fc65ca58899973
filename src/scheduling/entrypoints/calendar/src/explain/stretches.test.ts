import { describe, expect, it } from 'vitest'
import { cutAt, parts, type Reason, remedyOf, type Stretch } from '~/explain/stretches'

const stretch = (start: string, end: string, slotId: string | null, ...reasons: Reason[]): Stretch => ({
  start: `2026-11-20T${start}:00Z`,
  end: `2026-11-20T${end}:00Z`,
  slotId,
  offered: reasons.length === 0,
  reasons,
})
const day = (at: string) => at.slice(0, 10)

describe('parts of a day', () => {
  it('join neighbours of which the same is to be said', () => {
    const joined = parts(
      [
        stretch('08:00', '09:00', null, 'OUTSIDE_HOURS'),
        stretch('09:00', '09:30', 'a'),
        stretch('09:30', '10:00', 'b'),
        stretch('10:00', '10:30', 'c', 'BOOKED'),
        stretch('10:30', '11:00', 'd', 'BOOKED', 'BUFFER'),
      ],
      day,
    )
    expect(joined.map((one) => one.slotIds)).toEqual([[], ['a', 'b'], ['c'], ['d']])
    expect(joined[1]!.end).toBe('2026-11-20T10:00:00Z')
  })

  it('keep a slot apart from time in which there is none', () => {
    const joined = parts(
      [stretch('09:00', '10:00', 'a', 'EXCEPTION'), stretch('10:00', '11:00', null, 'EXCEPTION')],
      day,
    )
    expect(joined).toHaveLength(2)
  })

  it('keep days apart', () => {
    const other = { ...stretch('00:00', '08:00', null, 'OUTSIDE_HOURS'), start: '2026-11-21T00:00:00Z' }
    const joined = parts(
      [{ ...stretch('18:00', '24:00', null, 'OUTSIDE_HOURS'), end: '2026-11-21T00:00:00Z' }, other],
      day,
    )
    expect(joined).toHaveLength(2)
  })
})

describe('a night', () => {
  const midnight = '2026-11-21T00:00:00Z'
  const night = (slotId: string | null) => ({
    ...stretch('18:00', '19:00', slotId, 'OUTSIDE_HOURS'),
    end: '2026-11-21T08:00:00Z',
  })

  it('is cut where the day ends', () => {
    const cut = cutAt([night(null)], ['2026-11-20T00:00:00Z', midnight])
    expect(cut.map((one) => one.start)).toEqual(['2026-11-20T18:00:00Z', midnight])
    expect(cut[0]!.end).toBe(midnight)
  })

  it('stays whole where it is a slot', () => {
    expect(cutAt([night('a')], [midnight])).toHaveLength(1)
  })
})

describe('what can be done', () => {
  const [blocked] = parts([stretch('09:00', '10:00', 'a', 'EXCEPTION', 'MIN_NOTICE')], day)
  const [closed] = parts([stretch('09:00', '10:00', null, 'EXCEPTION')], day)

  it('is told of the first reason', () => {
    expect(remedyOf(blocked!, false)).toBe('unblock')
    expect(remedyOf(closed!, false)).toBe('exception')
  })

  it('is nothing of what has passed, nor of what is offered', () => {
    expect(remedyOf(closed!, true)).toBe(null)
    expect(remedyOf(parts([stretch('09:00', '10:00', 'a')], day)[0]!, false)).toBe(null)
  })
})
