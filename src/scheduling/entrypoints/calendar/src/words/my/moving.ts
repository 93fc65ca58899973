/** Words of the room `moving`. */
export default {
}
