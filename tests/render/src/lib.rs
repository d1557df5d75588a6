//! Renders labelled scenes (people, queues, bags) to frames and clips; the project's own test footage.
