/** A button that is disabled while its command is under way loses the focus by that. */
import { tick } from 'svelte'

/** Do it, and give the focus back to what was pressed, where that is still there. */
export async function keepingFocus<T>(work: () => Promise<T>): Promise<T> {
  const pressed = document.activeElement
  try {
    return await work()
  } finally {
    await tick()
    if (document.activeElement === document.body && pressed instanceof HTMLElement && pressed.isConnected)
      pressed.focus()
  }
}
