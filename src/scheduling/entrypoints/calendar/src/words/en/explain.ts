/** Words of the room `explain`. */
export default {
}
