//! Detections become tracks: identity, dwell, zone crossing, stillness, abandonment. Pure.
