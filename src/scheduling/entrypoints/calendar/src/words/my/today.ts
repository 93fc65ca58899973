/** Words of the room `today`. */
export default {
}
