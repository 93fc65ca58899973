/** Words of the room `booking`. */
export default {
  'booking.next': 'Find next free time',
}
