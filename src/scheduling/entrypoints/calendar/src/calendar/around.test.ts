import { describe, expect, it } from 'vitest'
import { nearest } from '~/calendar/around.svelte'
import type { Drawn } from '~/calendar/entries'

const entry = (id: string) => ({ id }) as Drawn
const places = new Map([
  ['seen', { column: 3, from: 540, to: 570 }],
  ['a little lower', { column: 3, from: 780, to: 800 }],
  ['far to the right', { column: 18, from: 540, to: 570 }],
  ['far below', { column: 3, from: 1300, to: 1330 }],
])

describe('of a full day', () => {
  it('what is in sight is drawn first, then what is nearest', () => {
    const seen = { from: 480, to: 720, first: 0, last: 8 }
    const ids = ['far below', 'far to the right', 'a little lower', 'seen']
    expect(nearest(ids.map(entry), (one) => places.get(one.id)!, seen)).toEqual([
      'seen',
      'a little lower',
      'far to the right',
      'far below',
    ])
  })
})
