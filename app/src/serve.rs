//! The wiring of a server: rooms are opened here, handed to each other, and closed.
