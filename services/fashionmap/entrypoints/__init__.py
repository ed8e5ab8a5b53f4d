"""Which adapter and which model go where, and the processes made of them."""
