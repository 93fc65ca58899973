/**
 * The grid as one stop of the Tab key, in which arrows go about: up and down in time,
 * left and right between columns, Home and End to the column's ends (WAI-ARIA's grid
 * pattern; entries of a column are ordered by their start).
 */
const ENTRY = '[data-entry]'

/** What is being dragged is drawn a second and a third time. */
const COPIES = '.ec-preview, .ec-ghost'

interface Found {
  button: HTMLElement
  id: string
  /** From 1, as it is drawn: what is there overnight stands in two */
  column: number
  start: string
}

const found = (grid: HTMLElement): Found[] =>
  [...grid.querySelectorAll<HTMLElement>(ENTRY)].flatMap((button) => {
    const drawn = button.closest<HTMLElement>('.ec-event')
    const { entry: id, start } = button.dataset
    if (!drawn || !id || !start || drawn.matches(COPIES)) return []
    return [{ button, id, column: parseInt(drawn.style.gridColumn, 10), start }]
  })

export class Roving {
  /** The entry that Tab comes to */
  private active: string | null = null

  constructor(private readonly grid: HTMLElement) {}

  /** To be called when entries have come, gone or moved. */
  settle(): void {
    const all = found(this.grid)
    const lost = this.hadFocus && (document.activeElement ?? document.body) === document.body
    let current = all.find((one) => one.id === this.active)
    if (!current) {
      current = all.sort(byPlace)[0]
      if (!lost) this.active = current?.id ?? null
    }
    for (const one of all) one.button.tabIndex = one === current ? 0 : -1
    // It was drawn anew below the focus: who had it, has it again, and nothing is scrolled.
    if (lost && current) current.button.focus({ preventScroll: true })
  }

  private hadFocus = false

  onfocusin(event: FocusEvent): void {
    const button = (event.target as HTMLElement).closest<HTMLElement>(ENTRY)
    this.hadFocus = Boolean(button)
    if (!button?.dataset.entry) return
    this.active = button.dataset.entry
    for (const one of found(this.grid)) one.button.tabIndex = one.id === this.active ? 0 : -1
  }

  /** Who leaves by themselves is not brought back; whose entry is drawn anew, is. */
  onfocusout(event: FocusEvent): void {
    const left = event.target as HTMLElement
    if (event.relatedTarget) this.hadFocus = false
    else
      setTimeout(() => {
        if (left.isConnected && document.activeElement !== left) this.hadFocus = false
      })
  }

  /** Go where an arrow points; return whether the key was one of ours. */
  onkeydown(event: KeyboardEvent): boolean {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return false
    const all = found(this.grid).sort(byPlace)
    const at = all.findIndex((one) => one.id === this.active)
    const current = all[at]
    if (!current) return false
    const column = all.filter((one) => one.column === current.column)
    const to = {
      ArrowDown: () => column[column.indexOf(current) + 1],
      ArrowUp: () => column[column.indexOf(current) - 1],
      Home: () => column[0],
      End: () => column.at(-1),
      ArrowRight: () => beside(all, current, 1),
      ArrowLeft: () => beside(all, current, -1),
    }[event.key]
    if (!to) return false
    event.preventDefault()
    const next = to()
    if (next) this.focus(next)
    return true
  }

  /** The entry that something within it belongs to */
  idOf(target: EventTarget | null): string | null {
    return target instanceof HTMLElement ? (target.closest<HTMLElement>(ENTRY)?.dataset.entry ?? null) : null
  }

  /** Return whether it is there. */
  focusOn(id: string): boolean {
    const one = found(this.grid).find((entry) => entry.id === id)
    if (one) this.focus(one)
    return one !== undefined
  }

  private focus(one: Found): void {
    one.button.tabIndex = 0
    one.button.focus()
    one.button.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }
}

const byPlace = (one: Found, other: Found): number =>
  one.column - other.column || (one.start < other.start ? -1 : one.start > other.start ? 1 : 0)

/** Of the next column that has any, the entry nearest in time. */
function beside(all: Found[], current: Found, direction: 1 | -1): Found | undefined {
  const columns = [...new Set(all.map((one) => one.column))]
  const next = columns[columns.indexOf(current.column) + direction]
  const minutes = (text: string) => Number(text.slice(11, 13)) * 60 + Number(text.slice(14, 16))
  const away = (one: Found) => Math.abs(minutes(one.start) - minutes(current.start))
  return all.filter((one) => one.column === next).sort((one, other) => away(one) - away(other))[0]
}
