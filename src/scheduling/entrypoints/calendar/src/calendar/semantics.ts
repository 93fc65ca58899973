/**
 * What the calendar component tells screen readers, set right. It calls itself a table of
 * rows and cells, but what stands in it are buttons beside those cells: a table in which
 * nothing is found. Here it is a region of buttons, each of which says its time, patient
 * and practitioner itself, and arrows lead about (roving.ts).
 */
const CLAIMS = ['table', 'rowgroup', 'row', 'cell', 'columnheader'].map((role) => `[role=${role}]`).join()

/** Take back what is claimed below the element, also of what is drawn later; return how to stop. */
export function unclaimed(grid: HTMLElement): () => void {
  const take = () => {
    for (const one of grid.querySelectorAll(CLAIMS))
      for (const name of ['role', 'aria-colindex', 'aria-colspan']) one.removeAttribute(name)
  }
  const observer = new MutationObserver(take)
  observer.observe(grid, { childList: true, subtree: true, attributes: true, attributeFilter: ['role'] })
  take()
  return () => observer.disconnect()
}
