//! The camera's daemon and command line: configuration, the watch loop, MQTT.
