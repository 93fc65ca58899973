/** What the server says when it does not do what was asked: RFC 9457, with our codes. */
export interface Problem {
  type: string
  title: string
  status: number
  detail?: string
  code: string
  errors?: { field: string; message: string }[]
  conflictingAppointmentIds?: string[]
  reason?: string
  scope?: string
}

/** A request that was answered with a problem, or not at all. */
export class Refusal extends Error {
  constructor(
    readonly code: string,
    readonly status: number,
    readonly detail: string,
    readonly problem: Problem | null = null,
  ) {
    super(`${code}: ${detail}`)
    this.name = 'Refusal'
  }

  /** Somebody else changed it meanwhile: what is shown here is old. */
  get isStale(): boolean {
    return this.code === 'OPTIMISTIC_LOCK_CONFLICT'
  }

  static async from(response: Response): Promise<Refusal> {
    const problem = (await response.json().catch(() => null)) as Problem | null
    return new Refusal(
      problem?.code ?? 'UNEXPECTED_ANSWER',
      response.status,
      problem?.detail ?? response.statusText,
      problem,
    )
  }

  static unreachable(): Refusal {
    return new Refusal('UNREACHABLE', 0, 'The server did not answer.')
  }
}
