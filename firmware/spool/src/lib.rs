//! A bounded store, safe against power cuts, of rules, zones and undelivered alerts.
