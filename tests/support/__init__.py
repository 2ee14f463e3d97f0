"""The real parts that the tests stand on, and the factories they are written with."""
