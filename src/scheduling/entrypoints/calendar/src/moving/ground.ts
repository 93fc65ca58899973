import type { Column } from '~/moving/targets'

/** What the mover needs of the grid that it moves in */
export interface Ground {
  /** In the order in which they stand */
  columns(): Column[]
  /** The clinic and the days that are to be shown, as `days.of` names them */
  of(): string
  /** Days that one sees at once */
  count(): number
  /** Focus an entry; return whether it is there. */
  focus(id: string): boolean
  /** Keep the focus in the grid while entries come and go. */
  hold(): void
  /** The ghost as it is drawn */
  ghost(): Element | null
}
