//! A simulated camera for tests: clock, source, model, board, broker.
