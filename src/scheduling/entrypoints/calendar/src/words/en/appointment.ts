/** Words of the room `appointment`. */
export default {
}
