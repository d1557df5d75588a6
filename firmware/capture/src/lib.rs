//! GStreamer: pipelines as data, the newest frame for inference, H.264 over RTSP.
