/**
 * What the page says, in English: the catalogue's keys are these. A room's words begin
 * with its name; `{n}` is filled in. Other languages must have every key (the compiler
 * sees to it). Larger rooms keep their words in a file of their own, joined here.
 */
import appointment from '~/words/en/appointment'
import booking from '~/words/en/booking'
import explain from '~/words/en/explain'
import hours from '~/words/en/hours'
import moving from '~/words/en/moving'
import notices from '~/words/en/notices'
import patients from '~/words/en/patients'
import refusals from '~/words/en/refusals'
import shell from '~/words/en/shell'
import statistics from '~/words/en/statistics'
import today from '~/words/en/today'
import waitlist from '~/words/en/waitlist'

export default {
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
