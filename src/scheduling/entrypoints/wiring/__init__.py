"""The one room that knows both the ports and what fills them."""
