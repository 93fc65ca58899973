/**
 * Read again when something happened: at once, then at most every PAUSE, however much
 * happens; and never with an older answer over a newer one.
 */
const PAUSE = 250
/** Milliseconds */

export function refreshing(read: () => Promise<void>): () => void {
  let running = false
  let again = false
  const run = async () => {
    if (running) {
      again = true
      return
    }
    running = true
    try {
      do {
        again = false
        await read()
        await new Promise((resolve) => setTimeout(resolve, PAUSE))
      } while (again)
    } finally {
      running = false
    }
  }
  return () => void run()
}
