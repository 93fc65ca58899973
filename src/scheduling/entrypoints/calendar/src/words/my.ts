/** What the page says, in Burmese: every key of the English catalogue. */
import type en from '~/words/en'
import appointment from '~/words/my/appointment'
import booking from '~/words/my/booking'
import explain from '~/words/my/explain'
import hours from '~/words/my/hours'
import moving from '~/words/my/moving'
import notices from '~/words/my/notices'
import patients from '~/words/my/patients'
import refusals from '~/words/my/refusals'
import shell from '~/words/my/shell'
import statistics from '~/words/my/statistics'
import today from '~/words/my/today'
import waitlist from '~/words/my/waitlist'

const my: Record<keyof typeof en, string> = {
  ...shell,
  ...refusals,
  ...appointment,
  ...booking,
  ...explain,
  ...hours,
  ...moving,
  ...notices,
  ...patients,
  ...statistics,
  ...today,
  ...waitlist,
}

export default my
