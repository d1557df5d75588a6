//! Power readings, allotment and time become permits to look. Pure.
