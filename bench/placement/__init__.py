"""Where tasks go, and how long they take, in a fleet of unequal devices."""
