"""`scheduling inbox`: follows news, from outside and our own."""
